"""A refused request on the application's own error pages."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from poolware.web.refusal import explain, retry_headers

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from poolware import RequestRefused

__all__ = ["answer"]


async def answer(request: Request, error: RequestRefused) -> Response:
    """Answer as if the application had raised an HTTPException with the status of `error`."""
    if request.scope["type"] != "http":
        raise error
    refusal = HTTPException(error.status, explain(request.scope, error), retry_headers(error))
    refusal.__cause__ = error
    by_class, by_status = request.scope["starlette.exception_handlers"]
    page: Any = by_status.get(error.status) or by_class[HTTPException]
    waits = iscoroutinefunction(page)
    response: Response = await (page(request, refusal) if waits else run_in_threadpool(page, request, refusal))
    return response
