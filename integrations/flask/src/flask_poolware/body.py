"""A request's body in a pooled buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from poolware import BodyError
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

    Raises:
        RequestEntityTooLarge: 413, over the limit.
        BadRequest: 400, the body ends early or announces no length.
    """
    try:
        return read_wsgi_body(request.environ, limit=limit)
    except BodyError as error:
        refusal = RequestEntityTooLarge if error.status == RequestEntityTooLarge.code else BadRequest
        raise refusal(str(error)) from error
