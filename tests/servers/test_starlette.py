"""What only Starlette has: background tasks and websockets, on uvicorn."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from .client import get
from .conftest import TARGETS, Target
from .serving import serve
from .settled import balanced, report, settled, wait_until


@pytest.fixture(scope="module", params=["uvicorn-uvloop-httptools", "uvicorn-asyncio-h11"])
def server_of_module(request):
    """In place of all servers: Starlette on both of uvicorn's protocols."""
    _, app, prefix = TARGETS["starlette"]
    with serve(request.param, app) as running:
        yield Target("starlette", running, prefix)


def test_a_background_task_sees_the_context_and_afterwards_it_is_gone(target):
    """H06, H19: the response has been read by then; who kept the context is told that it was released."""
    assert get(target.port, "/background").body == b"answered"
    wait_until(lambda: report(target.running)["contexts"]["quarantined"] == 1)
    assert get(target.port, "/control/look-back").json == "gone"
    assert target.events() == ["background saw behind"]


def url(target, query=""):
    return f"ws://127.0.0.1:{target.port}/socket{query}"


def test_a_websocket_has_one_context_until_the_client_closes(target):
    """H22: one context a connection, its own, in use as long as it lasts."""

    async def talk():
        async with connect(url(target)) as one, connect(url(target)) as other:
            await other.send("hi")
            elsewhere = await other.recv()
            await one.send("hi")
            first = await one.recv()
            await one.send("hi")
            assert await one.recv() == first
            assert first.startswith("hi on the line ")
            assert elsewhere != first
            in_use = await asyncio.to_thread(lambda: report(target.running)["contexts"]["in_use"])
            assert in_use == 2

    asyncio.run(talk())
    assert target.events() == ["websocket left"] * 2


def test_a_websocket_closed_by_the_app(target):
    """H22."""

    async def talk():
        async with connect(url(target)) as websocket:
            await websocket.send("close")
            with pytest.raises(ConnectionClosed):
                await websocket.recv()

    asyncio.run(talk())
    assert target.events() == []


def test_a_websocket_denied_before_it_was_accepted(target):
    """H22: the handshake is answered with 403."""

    async def talk():
        with pytest.raises(InvalidStatus) as refusal:
            await connect(url(target, "?deny=1"))
        assert refusal.value.response.status_code == 403

    asyncio.run(talk())


def test_a_websocket_whose_client_is_lost(target):
    """H22, H17: a reset instead of a closing handshake."""

    async def vanish():
        websocket = await connect(url(target))
        await websocket.send("hi")
        await websocket.recv()
        websocket.transport.abort()
        await websocket.wait_closed()

    asyncio.run(vanish())
    assert target.events() == ["websocket left"]


def test_a_websocket_when_the_server_stops(tmp_path):
    """H22, H25: the app is told, ends, and its context comes back."""

    async def stay(server):
        async with connect(f"ws://127.0.0.1:{server.port}/socket") as websocket:
            await websocket.send("hi")
            await websocket.recv()
            server.terminate()
            with pytest.raises(ConnectionClosed):
                await websocket.recv()

    with serve("uvicorn-uvloop-httptools", "apps.starlette_app:app", LAST_REPORTS=str(tmp_path)) as server:
        assert settled(server)["begun"] == 0
        asyncio.run(stay(server))
        server.wait()
        (last,) = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]
        balanced(last)
        assert last["contexts"]["acquired"] == 1
        assert last["contexts"]["in_use"] == 0
