"""A lean HTTP/1.1 client on raw sockets, which leaves whenever and however a test wants it to."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

HOST = "127.0.0.1"
PATIENCE = 30
"""Seconds after which a server that says nothing has failed; nothing is measured by it."""

Headers = Iterable[tuple[str, str]]


class Incomplete(Exception):
    """The server closed the connection before the end of its response."""


@dataclass
class Response:
    """A response as it came; `body` without the framing of chunks."""

    status: int
    head: bytes
    headers: dict[str, str]
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One connection, kept alive from request to request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, method: str, path: str, headers: Headers = (), body: bytes | None = None) -> Response:
        """Send a request and return its whole response."""
        self.send(method, path, headers, body)
        async with asyncio.timeout(PATIENCE):
            response = await self.head()
            response.body = b"".join([chunk async for chunk in self.body(response, method)])
        return response

    def send(self, method: str, path: str, headers: Headers = (), body: bytes | None = None) -> None:
        """Send a request; with a body also its Content-Length, unless `headers` say something else."""
        lines = [f"{method} {path} HTTP/1.1", "Host: test", *(f"{name}: {value}" for name, value in headers)]
        if body is not None and not any(name.lower() == "content-length" for name, _ in headers):
            lines.append(f"Content-Length: {len(body)}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + (body or b""))

    async def head(self) -> Response:
        """Read status and headers."""
        head = await self._until(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").splitlines()
        pairs = (line.partition(":") for line in lines if line)
        return Response(int(status.split()[1]), head, {name.lower(): value.strip() for name, _, value in pairs})

    async def body(self, response: Response, method: str = "GET") -> AsyncIterator[bytes]:
        """Yield the body in the pieces in which it comes."""
        if method == "HEAD" or response.status in {204, 304}:
            return
        length = response.headers.get("content-length")
        if response.headers.get("transfer-encoding") == "chunked":
            while size := int(await self._until(b"\r\n"), 16):
                yield (await self._exactly(size + 2))[:-2]
            await self._until(b"\r\n")
        elif length is not None:
            left = int(length)
            while left:
                yield await self._exactly(min(left, 1 << 16))
                left -= min(left, 1 << 16)
        else:
            while piece := await self.reader.read(1 << 16):
                yield piece

    def reset(self) -> None:
        """Leave as a lost client does: everything in transit is dropped, the server gets a reset."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self) -> None:
        """Leave in good order."""
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()

    async def _until(self, mark: bytes) -> bytes:
        try:
            return await self.reader.readuntil(mark)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Incomplete(str(error)) from error

    async def _exactly(self, size: int) -> bytes:
        try:
            return await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Incomplete(str(error)) from error


async def connect(port: int, receive_buffer: int | None = None) -> Connection:
    """Open a connection; a small `receive_buffer`, in bytes, leaves what a slow reader has not read to the server."""
    sock = socket.socket()
    sock.setblocking(False)
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.get_running_loop().sock_connect(sock, (HOST, port))
            return Connection(*await asyncio.open_connection(sock=sock, limit=1 << 16))
    except BaseException:
        sock.close()
        raise


@asynccontextmanager
async def connection(port: int, receive_buffer: int | None = None) -> AsyncIterator[Connection]:
    """Open a connection and close it at the end of the block."""
    opened = await connect(port, receive_buffer)
    try:
        yield opened
    finally:
        await opened.close()


async def ask(port: int, method: str, path: str, headers: Headers = (), body: bytes | None = None) -> Response:
    """Send one request on a connection of its own."""
    async with connection(port) as opened:
        return await opened.ask(method, path, headers, body)


def get(port: int, path: str, method: str = "GET", headers: Headers = (), body: bytes | None = None) -> Response:
    """The same for tests that are not asynchronous."""
    return asyncio.run(ask(port, method, path, headers, body))
