"""Memory that a transport is still sending is nobody else's (H07): 4 MiB responses to readers who take their time."""

import asyncio
import itertools
import sys

import pytest

from .apps.pattern import BLOCK, BLOCKS, SIZE, blocks
from .client import PATIENCE, Connection, ask, connection, get
from .serving import SERVERS, Running, serve
from .settled import settled

APP = "apps.slow_app:app"
UVLOOP = "uvicorn-uvloop-httptools"
READERS = 50
WRITERS = 4
PREWARMED = READERS + WRITERS + 6
ALLOWANCE = 64 * 1024
SMALL_WINDOW = 8 * 1024


class Stall:
    """Readers stop after the head until all have come so far and enough others have written."""

    def __init__(self, readers: int, writes: int) -> None:
        self.readers, self.writes = readers, writes
        self.stalled, self.over = asyncio.Event(), asyncio.Event()
        self.report = {}

    def one_more_stands(self) -> None:
        self.readers -= 1
        if not self.readers:
            self.stalled.set()


async def read_slowly(port: int, seed: int, stall: Stall) -> int:
    """Return how many blocks of the response are not what they should be."""
    async with connection(port, SMALL_WINDOW) as reader:
        reader.send("GET", f"/big?seed={seed}")
        response = await reader.head()
        assert response.headers["content-length"] == f"{SIZE}"
        stall.one_more_stands()
        await stall.over.wait()
        async with asyncio.timeout(PATIENCE):
            return await wrong_blocks(reader, seed)


async def wrong_blocks(reader: Connection, seed: int) -> int:
    wrong = 0
    for number, block in enumerate(blocks(seed)):
        wrong += await reader.reader.readexactly(BLOCK) != block
        if number % 32 == 0:
            await asyncio.sleep(0.005)
    return wrong


async def keep_writing(port: int, seeds: "itertools.count[int]", stall: Stall, done: asyncio.Event) -> None:
    """Write to memory of the same tier, before, while and after the readers stand."""
    async with connection(port) as writer:
        while not done.is_set():
            response = await writer.ask("GET", f"/noise?seed={next(seeds)}")
            assert response.status == 200
            if stall.stalled.is_set():
                stall.writes -= 1
            if stall.writes == 0:
                stall.report = (await ask(port, "GET", "/control")).json
                stall.over.set()


async def slow_round(port: int, readers: int) -> tuple[list[int], dict]:
    """Return the wrong blocks of each reader, and the app's report from when all of them stood."""
    stall, done, seeds = Stall(readers, writes=40), asyncio.Event(), itertools.count(1_000_000)
    async with asyncio.TaskGroup() as group:
        for _ in range(WRITERS):
            group.create_task(keep_writing(port, seeds, stall, done))
        async with asyncio.TaskGroup() as reading:
            tasks = [reading.create_task(read_slowly(port, seed, stall)) for seed in range(readers)]
        done.set()
    return [task.result() for task in tasks], stall.report


def read_by(server: Running, readers: int) -> tuple[list[int], dict]:
    return asyncio.run(slow_round(server.port, readers))


def test_every_byte_is_right_and_memory_is_reused_without_copying():
    """H07: uvloop keeps views of the buffers until they are sent; other requests get other memory meanwhile."""
    with serve(UVLOOP, APP) as server:
        get(server.port, f"/control/prewarm?count={PREWARMED}")
        first, _ = read_by(server, READERS)
        get(server.port, "/control/begin-measuring")
        second, while_standing = read_by(server, READERS)
        grown = get(server.port, "/control/end-measuring").json
        after = settled(server)
        sys.stdout.write(
            f"\nper response: {grown['traced'] // READERS} bytes traced, {grown['resident'] // READERS} resident\n"
        )
        assert first == second == [0] * READERS
        assert after["problems"] == []
        assert while_standing["buffers"]["quarantined"] == READERS
        assert after["buffers"]["created"] == after["buffers"]["idle"] == PREWARMED
        assert after["buffers"]["acquired"] > PREWARMED + 2 * READERS + 80
        assert grown["traced"] < READERS * ALLOWANCE
        assert grown["resident"] < READERS * ALLOWANCE


@pytest.mark.one_core
def test_without_the_quarantine_readers_get_the_bytes_of_others():
    """H07: the same readers on a pool that rests memory at once and does not look who holds it."""
    with serve(UVLOOP, APP, SABOTAGE="quarantine") as server:
        get(server.port, f"/control/prewarm?count={PREWARMED}")
        wrong, while_standing = read_by(server, READERS)
        assert while_standing["buffers"]["quarantined"] == 0
        assert sum(wrong) > BLOCKS


def test_readers_who_leave_give_the_memory_back():
    """H07, H17: what is left unsent when a client goes is let go of."""

    async def leave(port: int, seed: int) -> None:
        async with connection(port, SMALL_WINDOW) as reader:
            reader.send("GET", f"/big?seed={seed}")
            await reader.head()
            if seed % 2:
                reader.reset()

    async def leave_together(port: int) -> None:
        async with asyncio.TaskGroup() as group:
            for seed in range(20):
                group.create_task(leave(port, seed))

    with serve(UVLOOP, APP) as server:
        get(server.port, f"/control/prewarm?count={PREWARMED}")
        asyncio.run(leave_together(server.port))
        after = settled(server, begun=20)
        assert after["buffers"]["created"] == after["buffers"]["idle"] == PREWARMED
        assert read_by(server, 4)[0] == [0] * 4


@pytest.mark.parametrize("name", [name for name, server in SERVERS.items() if server.interface == "asgi"])
def test_every_server_sends_the_right_bytes(name):
    """H07: also where the server copies, keeps the view, or takes nothing but bytes."""
    with serve(name, APP) as server:
        wrong, while_standing = read_by(server, 8)
        after = settled(server)
        sys.stdout.write(f"\n{name}: {while_standing['buffers']['quarantined']} quarantined while 8 readers stand\n")
        assert wrong == [0] * 8
        assert after["problems"] == []
        assert after["buffers"]["hits"] > after["buffers"]["created"]
