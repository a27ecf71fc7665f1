"""Requests of four kinds that stay in flight until they are let go, and what became of each of them."""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from .client import Connection, Incomplete, connection
from .serving import HOST

HALF = bytes(50_000)
PATIENCE = 12
"""Seconds after which a client has waited too long; the requests themselves wait for ten."""
_NAMES = re.compile(rb"\b[ust]-[0-9a-f]{16}\b")


async def ask(port: int, kind: str, go_on: asyncio.Event) -> str:
    """Send a request as somebody new, the second half of an upload and a websocket's message when it may go on.

    Returns what became of it. whole: the answer has its status, all of its content, and nobody else's. cut: the
    connection was closed before that. incomplete: there is less in it than there should be. garbled: it is no HTTP.
    told: the server has closed a websocket, with this code. Otherwise the status.

    Raises:
        ConnectionRefusedError: nobody listens.
        TimeoutError: there was no end.
    """
    names = [f"{letter}-{secrets.token_hex(8)}" for letter in "ust"]
    path = "/{}?user={}&secret={}&tenant={}&size=4000&pause=0".format(kind, *names)
    try:
        async with asyncio.timeout(PATIENCE):
            if kind == "socket":
                status, content = 200, await _talk(port, path, go_on)
            else:
                status, content = await _request(port, kind, path, go_on)
    except ConnectionClosed as closed:
        return f"told {closed.rcvd.code}" if closed.rcvd else "cut"
    except (Incomplete, InvalidMessage, ConnectionResetError, BrokenPipeError):
        return "cut"
    except ValueError:
        return "garbled"
    found, own = set(_NAMES.findall(content)), {name.encode() for name in names}
    if found - own:
        return f"foreign: {content!r}"
    if status != 200:
        return str(status)
    return "whole" if found == own and content.endswith(b" end") else "incomplete"


async def _request(port: int, kind: str, path: str, go_on: asyncio.Event) -> tuple[int, bytes]:
    async with connection(port) as client:
        rest = None
        if kind == "upload":
            client.send("POST", path, [("Content-Length", str(2 * len(HALF)))], HALF)
            rest = asyncio.create_task(_send_rest(client, go_on))
        else:
            client.send("GET", path)
        try:
            response = await client.head()
            return response.status, b"".join([piece async for piece in client.body(response)])
        finally:
            if rest:
                rest.cancel()


async def _send_rest(client: Connection, go_on: asyncio.Event) -> None:
    await go_on.wait()
    client.writer.write(HALF)


async def _talk(port: int, path: str, go_on: asyncio.Event) -> bytes:
    async with connect(f"ws://{HOST}:{port}{path}") as websocket:
        speaking = asyncio.create_task(_speak(websocket, go_on))
        try:
            content = await websocket.recv()
            await websocket.wait_closed()
        finally:
            speaking.cancel()
        return bytes(content)


async def _speak(websocket: ClientConnection, go_on: asyncio.Event) -> None:
    await go_on.wait()
    with suppress(ConnectionClosed):
        await websocket.send("bye")
