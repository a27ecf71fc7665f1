"""A request's body in a pooled buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from poolware.web.body import read_body as read_wsgi_body

if TYPE_CHECKING:
    from flask import Request

    from poolware import Buffer

__all__ = ["read_body"]


def read_body(request: Request, *, limit: int) -> Buffer:
    """Read the body of `request` into a pooled buffer that goes back with the context.

    Args:
        request: a request whose body nobody has read yet.
        limit: bytes.

    What is raised here is answered with its status, by the application's error page for that if it has one.

    Raises:
        BodyTooLarge: the body is longer than `limit`; 413.
        BodyTruncated: it ended before its Content-Length; 400.
        BodyInvalid: the Content-Length is no length; 400.
    """
    return read_wsgi_body(request.environ, limit=limit)
