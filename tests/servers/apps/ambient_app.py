"""Applications that are given nothing, and look for their request's context. Below ``/bare`` poolware is not there."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from typing import Any

from poolware import ContextMissing, Lifecycle, RequestContext, current
from poolware.web import asgi as asgi_side
from poolware.web import wsgi as wsgi_side


class AmbientContext(RequestContext):
    tenant: str = ""


left_behind: list[contextvars.Context] = []
"""What tasks of all the requests so far would carry on."""


def look() -> str:
    """Say whose context is found."""
    try:
        return current(AmbientContext).tenant or "nobody"
    except ContextMissing:
        return "none"


def pieces(path: str) -> Iterator[bytes]:
    """Say what is found at first, by what earlier requests left behind, after the tenant was set, and at the end."""
    before, late = look(), {copy.run(look) for copy in left_behind}
    if before != "none":
        current(AmbientContext).tenant = path.rpartition("/")[2]
    left_behind.append(contextvars.copy_context())
    yield f"{before} {late or 'first'} {look()} ".encode()
    yield look().encode()


async def bare_asgi(scope: Any, _receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in pieces(scope["path"]):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def bare_wsgi(environ: Any, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [])
    return pieces(environ["PATH_INFO"])


lifecycle = Lifecycle(AmbientContext, ambient=True)
with_asgi = asgi_side.PoolwareMiddleware(bare_asgi, lifecycle)
with_wsgi = wsgi_side.PoolwareMiddleware(bare_wsgi, lifecycle)


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    bare = scope.get("path", "").startswith("/bare/")
    await (bare_asgi if bare else with_asgi)(scope, receive, send)


def wsgi(environ: Any, start_response: Any) -> Any:
    bare = environ["PATH_INFO"].startswith("/bare/")
    return (bare_wsgi if bare else with_wsgi)(environ, start_response)
