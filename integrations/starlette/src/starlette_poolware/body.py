"""A request's body in a pooled buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from poolware import BodyError
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

    Raises:
        HTTPException: 413 over the limit, 408 after the timeout, 400 for a body that ends early or announces no length.
    """
    try:
        return await read_body_async(request.scope, request.receive, limit=limit, timeout=timeout)
    except BodyError as error:
        raise HTTPException(error.status, str(error)) from error
