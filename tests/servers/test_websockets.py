"""One context a websocket, whoever ends it (H22)."""

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from .guests import Guest, visits
from .settled import report, wait_until

pytestmark = pytest.mark.needs("websockets")


def url(target, guest, query=""):
    return f"ws://127.0.0.1:{target.port}/socket?user={guest.user}&tenant={guest.tenant}{query}"


async def say_hi(websocket, guest):
    await websocket.send("hi")
    answer = await websocket.recv()
    guest.recognise(answer.encode())
    return answer


def ended(target, guest):
    wait_until(lambda: report(target.running)["events"])
    (event,) = target.events()
    assert event == f"websocket left: {guest.tenant}"


def test_websocket_closed_by_the_client(target):
    """H22: one context a connection, its own, in use as long as it lasts, while requests come and go."""
    one, other = Guest.new(), Guest.new()

    async def talk():
        async with connect(url(target, one)) as first, connect(url(target, other)) as second:
            for _ in range(3):
                await say_hi(first, one)
                await say_hi(second, other)
                await visits(target, 1)
            await asyncio.to_thread(wait_until, lambda: report(target.running)["contexts"]["in_use"] == 2)

    asyncio.run(talk())
    wait_until(lambda: len(report(target.running)["events"]) == 2)
    assert sorted(target.events()) == sorted(f"websocket left: {guest.tenant}" for guest in (one, other))


def test_websocket_closed_by_the_app(target):
    """H22."""
    guest = Guest.new()

    async def talk():
        async with connect(url(target, guest)) as websocket:
            await say_hi(websocket, guest)
            await websocket.send("close")
            with pytest.raises(ConnectionClosed):
                await websocket.recv()

    asyncio.run(talk())
    assert target.events() == []


def test_websocket_lost(target):
    """H22, H17: a reset instead of a closing handshake."""
    guest = Guest.new()

    async def vanish():
        websocket = await connect(url(target, guest))
        await say_hi(websocket, guest)
        websocket.transport.abort()
        await websocket.wait_closed()

    asyncio.run(vanish())
    ended(target, guest)


def test_websocket_denied(target):
    """H22: closed before it was accepted; the handshake is answered with 403."""

    async def talk():
        with pytest.raises(InvalidStatus) as refusal:
            await connect(url(target, Guest.new(), "&deny=1"))
        assert refusal.value.response.status_code == 403

    asyncio.run(talk())


def test_websocket_whose_handler_raises(target):
    """H16, H22."""
    guest = Guest.new()

    async def talk():
        async with connect(url(target, guest)) as websocket:
            await say_hi(websocket, guest)
            await websocket.send("fail")
            with pytest.raises(ConnectionClosed):
                await websocket.recv()

    asyncio.run(talk())
