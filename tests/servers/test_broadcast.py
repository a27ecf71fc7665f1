"""One pooled buffer, sent to many websockets, some of which are slow or vanish."""

import asyncio
import hashlib
import sys
from contextlib import asynccontextmanager

import pytest

from .apps.pattern import BLOCK, blocks
from .client import PATIENCE, Connection, ask, connection, get
from .serving import serve
from .settled import settled, wait_until

APP = "apps.broadcast_app:app"
UVLOOP = "uvicorn-uvloop-httptools"
QUIET = ("--ws-ping-interval", "1000")
SMALL_WINDOW = 8 * 1024
MESSAGES = 3
SIZE = 128 * BLOCK
UPGRADE = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
]
IN_FLIGHT = 192 * 1024
"""Bytes that a slow listener may cost: what uvloop queues before it says stop, in copies that the server makes."""


def content(seed: int) -> bytes:
    return b"".join(block for block, _ in zip(blocks(seed), range(SIZE // BLOCK), strict=False))


@asynccontextmanager
async def listener(port):
    async with connection(port, SMALL_WINDOW) as opened:
        opened.send("GET", "/listen", UPGRADE)
        assert (await opened.head()).status == 101
        yield opened


async def frame(opened: Connection) -> bytes:
    first, length = await opened._exactly(2)
    assert first == 0x82
    if length >= 126:
        length = int.from_bytes(await opened._exactly(2 if length == 126 else 8), "big")
    return await opened._exactly(length)


async def message(opened: Connection, pause: float = 0) -> str:
    """Read a message of `SIZE` bytes; return its digest."""
    digest, left = hashlib.sha256(), SIZE
    while left:
        piece = await frame(opened)
        digest.update(piece)
        left -= len(piece)
        await asyncio.sleep(pause)
    return digest.hexdigest()


class Audience:
    """Listeners of three kinds, and what the test tells them."""

    def __init__(self, port: int, size: int) -> None:
        self.port, self.size = port, size
        self.all_listen, self.all_through, self.wake = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.listening = self.through = 0
        self.digests = []

    async def attend(self, number: int) -> None:
        kind = ("fast", "slow", "vanishing", "fast", "fast")[number % 5]
        async with listener(self.port) as opened:
            self.listening += 1
            if self.listening == self.size:
                self.all_listen.set()
            await getattr(self, kind)(opened)

    async def fast(self, opened: Connection) -> None:
        self.digests.append([await message(opened) for _ in range(MESSAGES)])
        self.through += 1
        if self.through == 3 * self.size // 5:
            self.all_through.set()

    async def slow(self, opened: Connection) -> None:
        """Stand still until the others are through, then read with pauses."""
        await self.wake.wait()
        self.digests.append([await message(opened, 0.001) for _ in range(MESSAGES)])

    async def vanishing(self, opened: Connection) -> None:
        """Leave in the middle of the first message, without a word."""
        await frame(opened)
        opened.reset()


async def broadcast(port: int, size: int) -> tuple[list[list[str]], dict]:
    """Return what each listener who stayed has got, and the report from when only the slow ones were left."""
    audience = Audience(port, size)
    async with asyncio.timeout(4 * PATIENCE), asyncio.TaskGroup() as group:
        for number in range(size):
            group.create_task(audience.attend(number))
        await audience.all_listen.wait()
        for seed in range(MESSAGES):
            answer = await ask(port, "POST", "/publish", body=content(seed))
            assert answer.status == 202
        await audience.all_through.wait()
        report = (await ask(port, "GET", "/control")).json
        audience.wake.set()
    return audience.digests, report


@pytest.mark.parametrize("size", [50, pytest.param(500, marks=pytest.mark.slow)])
def test_one_buffer_for_all(size):
    """H07, H12, H17: every byte right for everybody who stays, and each buffer back once."""
    with serve(UVLOOP, APP, *QUIET) as server:
        digests, while_standing = asyncio.run(broadcast(server.port, size))
        after = settled(server)["buffers"]
        expected = [hashlib.sha256(content(seed)).hexdigest() for seed in range(MESSAGES)]
        assert digests == [expected] * (4 * size // 5)
        assert while_standing["buffers"]["in_use"] == MESSAGES
        assert (after["acquired"], after["released"], after["refused"]) == (MESSAGES, MESSAGES, 0)
        assert (after["created"], after["idle"]) == (MESSAGES, MESSAGES)
        wait_until(lambda: get(server.port, "/control/listeners").json["listeners"] == 0)
        assert get(server.port, "/control/listeners").json["missed"] == 0
        assert "without release" not in server.tail()
        assert "nobody released" not in server.tail()


async def stand_still(port: int, size: int) -> dict:
    """Return what a server takes for a message to listeners of whom none reads."""
    async with asyncio.timeout(4 * PATIENCE):
        standing = [listener(port) for _ in range(size)]
        opened = [await one.__aenter__() for one in standing]
        await ask(port, "GET", "/control/begin-measuring")
        answer = await ask(port, "POST", "/publish", body=content(1))
        assert answer.json == {"listeners": size}
        for one in opened:
            await frame(one)
        measured = (await ask(port, "GET", "/control/end-measuring")).json
        for one in standing:
            await one.__aexit__(None, None, None)
    return measured


@pytest.mark.parametrize("size", [50, pytest.param(500, marks=pytest.mark.slow)])
def test_memory_against_a_copy_for_each(size):
    """The message is there once; what is left are the copies that the server makes of the frames it has in hand."""
    taken = {}
    for name, environment in {"shared": {}, "copies": {"COPIES": "1"}}.items():
        with serve(UVLOOP, APP, *QUIET, **environment) as server:
            taken[name] = asyncio.run(stand_still(server.port, size))["resident"]
            settled(server)
    sys.stdout.write(f"\n{size} listeners, {SIZE} bytes: {taken} bytes\n")
    assert taken["shared"] < 2 * SIZE + size * IN_FLIGHT
    assert taken["copies"] > size * SIZE
