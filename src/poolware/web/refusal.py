"""The answer to a request that is refused: a body over the limit, a pool with nothing to lend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from poolware._core.log import logger
from poolware.context.carrier import FAILED, request_line
from poolware.errors import PoolUnavailable, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from poolware.context.carrier import Carrier

__all__ = ["explain", "refuse", "refuse_async", "retry_headers"]

_REASONS = {400: "Bad Request", 408: "Request Timeout", 413: "Content Too Large", 503: "Service Unavailable"}


def explain(carrier: Carrier, error: RequestRefused) -> str:
    """Note that the request failed; return what its client is told. How a pool is doing is for the log alone."""
    carrier[FAILED] = True
    if not isinstance(error, PoolUnavailable):
        return str(error)
    logger.warning("%s was answered with %s: %s", request_line(carrier), error.status, error)
    return _REASONS[error.status]


def retry_headers(error: RequestRefused) -> dict[str, str]:
    """Return the header that says when to try again, if `error` knows."""
    return {"Retry-After": str(error.retry_after)} if isinstance(error, PoolUnavailable) else {}


def refuse(environ: Carrier, start_response: Callable[..., Any], error: RequestRefused, exc_info: Any) -> list[bytes]:
    """Answer with the status of `error`; raises it again if the response has begun."""
    text, headers = _content(environ, error)
    start_response(f"{error.status} {_REASONS[error.status]}", headers, exc_info)
    return [text]


async def refuse_async(scope: Carrier, send: Callable[[Any], Awaitable[None]], error: RequestRefused) -> bool:
    """Answer with the status of `error`; return whether that could be done."""
    if scope["type"] != "http":
        return False
    text, headers = _content(scope, error)
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    try:
        await send({"type": "http.response.start", "status": error.status, "headers": raw})
        await send({"type": "http.response.body", "body": text})
    except Exception:  # the response had begun: the server refuses a second start
        return False
    return True


def _content(carrier: Carrier, error: RequestRefused) -> tuple[bytes, list[tuple[str, str]]]:
    text = f"{explain(carrier, error)}\n".encode()
    headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(text)), **retry_headers(error)}
    return text, list(headers.items())
