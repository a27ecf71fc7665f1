"""A request's body in a pooled buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from poolware.context.carrier import carrier_of
from poolware.web.body import announced_length, fill_from

if TYPE_CHECKING:
    from django.http import HttpRequest

    from poolware import Buffer

__all__ = ["read_body"]


def read_body(request: HttpRequest, *, limit: int) -> Buffer:
    """Read the body of `request` into a pooled buffer that goes back with the context.

    The middleware answers what is raised here with its status: 413 or 400.

    Args:
        request: a request whose body nobody has read yet.
        limit: bytes.

    Raises:
        BodyTooLarge: the body is longer than `limit`.
        BodyTruncated: it ended before its Content-Length.
        BodyInvalid: the Content-Length is no length.
    """
    length = announced_length(request.META.get("CONTENT_LENGTH"), limit)
    return fill_from(carrier_of(request), request.read, length, limit)
