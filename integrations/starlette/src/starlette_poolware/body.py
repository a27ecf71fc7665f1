"""A request's body in a pooled buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from poolware.web.body import read_body_async

if TYPE_CHECKING:
    from starlette.requests import Request

    from poolware import Buffer

__all__ = ["read_body"]


async def read_body(request: Request, *, limit: int, timeout: float | None = None) -> Buffer:
    """Read the body of `request` into a pooled buffer that goes back with the context.

    Args:
        request: a request whose body nobody has read yet.
        limit: bytes.
        timeout: seconds that the whole body may take; None for as long as the server lets it.

    What is raised here is answered with its status, by the application's error page for that if it has one.

    Raises:
        BodyTooLarge: the body is longer than `limit`; 413.
        BodyTimeout: it was not complete within `timeout`; 408.
        BodyTruncated: the client left, or the body ended before its Content-Length; 400.
        BodyInvalid: the Content-Length is no length; 400.
    """
    return await read_body_async(request.scope, request.receive, limit=limit, timeout=timeout)
