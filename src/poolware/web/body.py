"""A request body into a pooled buffer, with a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from poolware._core.loops import time_limit
from poolware._core.options import positive_or_none, whole_number
from poolware.context.base import RequestContext
from poolware.errors import BodyInvalid, BodyTimeout, BodyTooLarge, BodyTruncated, BufferSizeError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from poolware.context.carrier import Carrier
    from poolware.pools.buffer import Buffer

__all__ = ["read_body", "read_body_async"]

_CHUNK = 64 * 1024
_TRUSTED = 1024 * 1024
"""Bytes reserved on the word of a Content-Length; more only as they arrive (H42)."""


def read_body(environ: Carrier, *, limit: int) -> Buffer:
    """Read a WSGI request's body into a pooled buffer of its context; the position is at the start.

    Args:
        environ: the WSGI environ.
        limit: bytes.

    How long a slow client may take is the server's or its proxy's to say: a WSGI application cannot stop waiting.

    Raises:
        BodyTooLarge: the body is longer than `limit` (413). At most `limit` bytes and one chunk were read.
        BodyTruncated: it ended before its Content-Length (400).
        BodyInvalid: the Content-Length is no length (400).
    """
    length = announced_length(environ.get("CONTENT_LENGTH"), limit)
    if length is None and not environ.get("wsgi.input_terminated"):
        length = 0  # PEP 3333: without a length only a server that ends the input itself can be read to its end
    return fill_from(environ, environ["wsgi.input"].read, length, limit)


def fill_from(carrier: Carrier, read: Callable[[int], bytes], length: int | None, limit: int) -> Buffer:
    """Read `length` bytes, or up to the end if None, from the file-like function `read`."""
    body = _buffer(carrier, length, limit)
    left = limit + 1 if length is None else length
    while left and (chunk := read(min(left, _CHUNK))):
        _append(body, chunk, limit)
        left -= len(chunk)
    return _complete(body, length)


async def read_body_async(
    scope: Carrier, receive: Callable[[], Awaitable[Any]], *, limit: int, timeout: float | None = None
) -> Buffer:
    """Read an ASGI request's body into a pooled buffer of its context; the position is at the start.

    Args:
        scope: the ASGI scope.
        receive: the application's ``receive``.
        limit: bytes.
        timeout: seconds that the whole body may take; None for as long as the server lets it.

    Raises:
        BodyTooLarge: the body is longer than `limit` (413).
        BodyTimeout: it was not complete within `timeout` (408).
        BodyTruncated: the client left, or the body ended before its Content-Length (400).
        BodyInvalid: the Content-Length is no length (400).
    """
    announced = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"content-length"), None)
    length = announced_length(announced, limit)
    body = _buffer(scope, length, limit)
    try:
        async with time_limit(positive_or_none("timeout", timeout)):
            await _receive_into(body, receive, limit)
    except TimeoutError as error:
        if timeout is None:  # the server's own
            raise
        msg = f"the request's body was not complete within {timeout} s; {len(body)} bytes had come"
        raise BodyTimeout(msg) from error
    return _complete(body, length)


async def _receive_into(body: Buffer, receive: Callable[[], Awaitable[Any]], limit: int) -> None:
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            msg = f"the client left after {len(body)} bytes of its request's body"
            raise BodyTruncated(msg)
        _append(body, message.get("body", b""), limit)
        more = message.get("more_body", False)


def announced_length(value: str | None, limit: int) -> int | None:
    """Return the length that a Content-Length header announces; None without one. Raises as `read_body`."""
    whole_number("limit", limit)
    if not value:
        return None
    if not (value.isascii() and value.isdigit()):
        msg = f"Content-Length {value[:40]!r} is no number of bytes"
        raise BodyInvalid(msg)
    digits = value.lstrip("0") or "0"
    if len(digits) > len(str(limit)) or int(digits) > limit:  # int() refuses more than 4300 digits
        msg = f"the request's body has {value[:40]} bytes; at most {limit} are taken"
        raise BodyTooLarge(msg)
    return int(digits)


def _buffer(carrier: Carrier, length: int | None, limit: int) -> Buffer:
    size = min(_CHUNK if length is None else length, limit, _TRUSTED)
    ctx = RequestContext.of(carrier)
    try:
        return ctx.buffer(size)
    except BufferSizeError as error:
        raise BodyTooLarge(str(error)) from error


def _append(body: Buffer, chunk: bytes, limit: int) -> None:
    if len(body) + len(chunk) > limit:
        msg = f"the request's body has more than {limit} bytes, the most that are taken"
        raise BodyTooLarge(msg)
    try:
        body.write(chunk)
    except BufferSizeError as error:
        raise BodyTooLarge(str(error)) from error


def _complete(body: Buffer, length: int | None) -> Buffer:
    if length is not None and len(body) != length:
        msg = f"the request's body ended after {len(body)} of {length} bytes"
        raise BodyTruncated(msg)
    body.seek(0)
    return body
