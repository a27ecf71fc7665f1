"""Streams that go on for long, and a pool of four (H33)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from .client import PATIENCE, ask, connection, get
from .serving import Running, serve
from .settled import wait_until

CLIENTS = 50
SIZE = 4
EVENTS = 5
ASKED = 20


@pytest.fixture
def server() -> Iterator[Running]:
    with serve("uvicorn-uvloop-httptools", "apps.events_app:app") as running:
        yield running
        wait_until(lambda: in_use(running) == 0)  # the clients have left


def in_use(server: Running) -> int:
    return get(server.port, "/stats").json["in_use"]


class Stream:
    """Clients of one stream, until they are told to leave."""

    def __init__(self, clients: int) -> None:
        self.missing = clients
        self.all_listen, self.over = asyncio.Event(), asyncio.Event()

    async def listen(self, server: Running, path: str) -> int:
        """Return how many events came after all of the others were there."""
        async with asyncio.timeout(PATIENCE), connection(server.port) as client:
            client.send("GET", path)
            events = client.body(await client.head())
            await anext(events)
            self.missing -= 1
            if not self.missing:
                self.all_listen.set()
            await self.all_listen.wait()
            return await self.count(events)

    async def count(self, events: AsyncIterator[bytes]) -> int:
        count = 0
        while count < EVENTS or not self.over.is_set():
            assert await anext(events) == b"data: 42\n\n"
            count += 1
        return count


def test_clients_that_use_the_block_form_leave_the_pool_to_others(server):
    """Fifty streams on four connections: other endpoints answer meanwhile, and every stream goes on."""

    async def scene() -> None:
        stream = Stream(CLIENTS)
        async with asyncio.TaskGroup() as group:
            listening = [group.create_task(stream.listen(server, "/by-block")) for _ in range(CLIENTS)]
            await stream.all_listen.wait()
            answers = [await ask(server.port, "GET", "/now") for _ in range(ASKED)]
            stream.over.set()
        assert {(answer.status, answer.body) for answer in answers} == {(200, b"data: 42\n\n")}
        assert min(task.result() for task in listening) >= EVENTS

    asyncio.run(scene())
    stats = get(server.port, "/stats").json
    assert stats["peak_in_use"] <= SIZE
    assert stats["timeouts"] == 0


def test_clients_whose_streams_keep_what_they_borrowed_leave_nothing(server):
    """What not to do: as many streams as connections, and the others are told how it stands."""

    async def scene() -> None:
        stream = Stream(SIZE)
        async with asyncio.TaskGroup() as group:
            for _ in range(SIZE):
                group.create_task(stream.listen(server, "/for-the-stream"))
            await stream.all_listen.wait()
            answer = await ask(server.port, "GET", "/now")
            stream.over.set()
        assert answer.status == 503
        assert b"pool 'database': nothing came free within 0.5 s; 4 of 4 in use, the longest for" in answer.body

    asyncio.run(scene())
    wait_until(lambda: in_use(server) == 0)
    assert get(server.port, "/now").status == 200
