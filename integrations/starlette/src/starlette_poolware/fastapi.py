"""The context as a FastAPI dependency."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Depends
from starlette.requests import HTTPConnection

from poolware import BadOption, RequestContext

__all__ = ["from_request"]

C = TypeVar("C", bound=RequestContext)


def from_request(context: type[C]) -> Any:
    """Return a dependency that gives a route or websocket its context, typed.

    @app.get("/")
    async def route(ctx: Annotated[AppContext, from_request(AppContext)]): ...

    Raises:
        BadOption: `context` is no context class.
    """
    if not (isinstance(context, type) and issubclass(context, RequestContext)):
        msg = f"from_request({context!r}): it takes a class derived from poolware.RequestContext"
        raise BadOption(msg)

    async def dependency(connection: HTTPConnection) -> C:  # async: a sync one is kept by a Future after the response
        return context.of(connection)

    dependency.__annotations__["connection"] = HTTPConnection
    return Depends(dependency)
