"""A streaming proxy: from the upstream's socket into a ring, and from there to the client, without a copy on the way.

UPSTREAM=127.0.0.1:9000 uvicorn examples.proxy:app
"""

import asyncio
import os
import socket
from contextlib import suppress
from typing import Any

import anyio

from poolware import BufferPool, BufferRing

HOST, PORT = os.environ.get("UPSTREAM", "127.0.0.1:9000").split(":")
SLOTS = int(os.environ.get("SLOTS", "64"))
SLOT_BYTES = int(os.environ.get("SLOT_BYTES", "1500"))
MAX_HEAD_BYTES = 64 << 10
PASSED_ON = {b"content-type", b"content-length", b"etag", b"last-modified"}

buffers = BufferPool(tiers=[SLOTS * SLOT_BYTES], name="rings")

Headers = list[tuple[bytes, bytes]]


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    with socket.socket() as upstream, BufferRing(slots=SLOTS, slot_size=SLOT_BYTES, buffers=buffers) as ring:
        upstream.setblocking(False)  # noqa: FBT003 - takes no keyword
        try:
            status, headers, body = await ask(upstream, scope)
        except OSError as error:
            await answer(send, 502, str(error).encode())
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        length = next((int(value) for name, value in headers if name == b"content-length"), None)
        async with anyio.create_task_group() as group:
            group.start_soon(stop_when_gone, receive, group.cancel_scope)
            group.start_soon(fill, ring, upstream, body, length)
            async for view in ring:
                await send({"type": "http.response.body", "body": view, "more_body": True})
            await send({"type": "http.response.body"})
            group.cancel_scope.cancel()


async def fill(ring: BufferRing, upstream: socket.socket, body: bytes, length: int | None) -> None:
    """Receive into one slot after the other; a full ring lets the upstream wait."""
    loop = asyncio.get_running_loop()
    with suppress(OSError), ring.producing():  # an error is raised where the ring is read
        await ring.aput(body)
        received = len(body)
        while received != length:
            size = await loop.sock_recv_into(upstream, await ring.areserve())
            if not size and length is not None:
                msg = f"the upstream broke off after {received} of {length} bytes"
                raise ConnectionError(msg)
            ring.commit(size)
            received += size
            if not size:
                return


async def ask(upstream: socket.socket, scope: Any) -> tuple[int, Headers, bytes]:
    """Send the request; return status, headers, and what of the body came with them."""
    loop = asyncio.get_running_loop()
    await loop.sock_connect(upstream, (HOST, int(PORT)))
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    request = b"GET %b HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % (target, HOST.encode())
    await loop.sock_sendall(upstream, request)
    head = b""
    while b"\r\n\r\n" not in head:
        piece = await loop.sock_recv(upstream, 4096)
        head += piece
        if not piece or len(head) > MAX_HEAD_BYTES:
            msg = "the upstream's answer has no head"
            raise ConnectionError(msg)
    head, _, body = head.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    pairs = (line.partition(b":") for line in lines)
    headers = [(name.lower(), value.strip()) for name, _, value in pairs if name.lower() in PASSED_ON]
    return int(first.split()[1]), headers, body


async def stop_when_gone(receive: Any, scope: anyio.CancelScope) -> None:
    """A client who leaves while the upstream is silent shows nowhere else."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def answer(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
