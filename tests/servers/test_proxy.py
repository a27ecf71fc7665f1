"""A stream passed on through a ring: right, bounded by the ring, and over when either end is."""

import asyncio
import sys

import pytest

from .apps.pattern import BLOCK, SIZE, blocks
from .client import PATIENCE, Incomplete, ask, connection, get
from .serving import serve
from .settled import report, settled, wait_until

UVLOOP = "uvicorn-uvloop-httptools"
SMALL_WINDOW = 8 * 1024
READERS = 8
ALLOWANCE = 512 << 10
"""Bytes that a stream may take, of the 4 MiB that it has: the ring, a task's frames, and what the system rounds up."""
RINGS = {
    "64 x 1500": {},
    "4 x 65536": {"SLOTS": "4", "SLOT_BYTES": "65536"},
    "1 x 512": {"SLOTS": "1", "SLOT_BYTES": "512"},
}


@pytest.fixture(scope="module")
def upstream():
    with serve(UVLOOP, "apps.upstream_app:app") as running:
        yield running


def proxy(upstream, **settings):
    return serve(UVLOOP, "apps.proxy_app:app", UPSTREAM=f"127.0.0.1:{upstream.port}", **settings)


def streams(upstream):
    return get(upstream.port, "/control/streams").json


async def wrong_blocks(reader, seed):
    """Return how many blocks are not what they should be."""
    return sum([await reader.reader.readexactly(BLOCK) != block for block in blocks(seed)])


async def everybody_stands(upstream):
    """Wait until the upstream gets rid of nothing any more."""
    before = -1
    while (sent := (await ask(upstream.port, "GET", "/control/streams")).json["sent"]) != before:
        before = sent
        await asyncio.sleep(0.1)
    return sent


async def slow_round(port, upstream, readers):
    """Return the wrong blocks of each reader, how much the upstream had sent while they stood, and what that took."""
    heads, go = asyncio.Semaphore(0), asyncio.Event()

    async def read(seed):
        async with connection(port, SMALL_WINDOW) as reader:
            reader.send("GET", f"/?seed={seed}")
            response = await reader.head()
            assert (response.status, response.headers["content-length"]) == (203, f"{SIZE}")
            heads.release()
            await go.wait()
            return await wrong_blocks(reader, seed)

    async with asyncio.timeout(2 * PATIENCE), asyncio.TaskGroup() as group:
        await ask(port, "GET", "/?seed=0")  # imports
        sent_before = await everybody_stands(upstream)
        await ask(port, "GET", "/control/begin-measuring")
        tasks = [group.create_task(read(seed)) for seed in range(readers)]
        for _ in tasks:
            await heads.acquire()
        sent = await everybody_stands(upstream) - sent_before
        measured = (await ask(port, "GET", "/control/end-measuring")).json
        go.set()
    return [task.result() for task in tasks], sent, measured


def test_slow_readers(upstream):
    """H07: every byte is right, a stream takes no more than its ring, and the upstream waits."""
    with proxy(upstream) as server:
        wrong, sent, measured = asyncio.run(slow_round(server.port, upstream, READERS))
        after = settled(server)["buffers"]
    sys.stdout.write(f"\n{READERS} readers stand: {sent} of {READERS * SIZE} bytes sent, {measured} taken\n")
    assert wrong == [0] * READERS
    assert sent < READERS * SIZE / 2
    assert measured["resident"] < READERS * ALLOWANCE
    assert measured["traced"] < READERS * ALLOWANCE
    assert (after["acquired"], after["released"], after["refused"]) == (READERS + 1, READERS + 1, 0)


def test_without_a_look_at_who_holds_a_slot_the_bytes_are_wrong(upstream):
    """H07: uvloop keeps the views of the slots until they are sent."""
    with proxy(upstream, SABOTAGE="slots") as server:
        wrong, _, _ = asyncio.run(slow_round(server.port, upstream, 2))
    assert sum(wrong) > 0


@pytest.mark.parametrize("ring", RINGS)
def test_rings_of_any_shape(upstream, ring):
    async def read():
        async with connection(server.port) as reader, asyncio.timeout(PATIENCE):
            reader.send("GET", "/?seed=1")
            await reader.head()
            return await wrong_blocks(reader, 1)

    with proxy(upstream, **RINGS[ring]) as server:
        assert asyncio.run(read()) == 0
        settled(server)


@pytest.mark.slow
@pytest.mark.parametrize("server", ["uvicorn-asyncio-h11", "hypercorn", "granian", "gunicorn-asgi"])
def test_every_server_sends_the_right_bytes(upstream, server):
    """H07: also where the server copies, or keeps the view."""
    with serve(server, "apps.proxy_app:app", UPSTREAM=f"127.0.0.1:{upstream.port}") as running:
        wrong, _, _ = asyncio.run(slow_round(running.port, upstream, 2))
        settled(running)
    assert wrong == [0, 0]


def test_a_client_who_vanishes(upstream):
    """H17: in the middle. The memory goes back, and the upstream is told."""

    async def vanish(seed):
        async with connection(server.port, SMALL_WINDOW) as reader:
            reader.send("GET", f"/?seed={seed}")
            await reader.head()
            await reader.reader.readexactly(BLOCK)
            reader.reset()

    async def vanish_all():
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            for seed in range(READERS):
                group.create_task(vanish(seed))

    with proxy(upstream) as server:
        asyncio.run(vanish_all())
        after = settled(server, begun=READERS)["buffers"]
        assert (after["acquired"], after["released"], after["refused"]) == (READERS, READERS, 0)
        wait_until(lambda: streams(upstream)["running"] == 0)
        assert get(server.port, "/?seed=1").status == 203


def test_an_upstream_that_breaks_off(upstream):
    """H17: the client gets all that came, and sees that it is not all."""

    async def read():
        async with connection(server.port) as reader, asyncio.timeout(PATIENCE):
            reader.send("GET", "/?seed=5&breaks_at=100")
            response = await reader.head()
            got = bytearray()
            try:
                async for piece in reader.body(response):
                    got += piece
            except Incomplete:
                got += await reader.reader.read(-1)
                return bytes(got)
            return None

    with proxy(upstream) as server:
        got = asyncio.run(read())
        whole = b"".join(block for number, block in enumerate(blocks(5)) if number < 100)
        assert got is not None
        assert whole.startswith(got)
        assert len(got) > 90 * BLOCK
        after = settled(server)["buffers"]
        assert (after["acquired"], after["released"]) == (1, 1)


def test_an_upstream_that_is_not_there(upstream):
    with serve(UVLOOP, "apps.proxy_app:app", UPSTREAM="127.0.0.1:9") as server:
        assert get(server.port, "/").status == 502
        assert report(server)["buffers"]["in_use"] == 0
