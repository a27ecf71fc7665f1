"""Applications with /metrics beside them, outside of poolware's middleware: a look at it is not a request."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from poolware import Lifecycle, RequestContext
from poolware.web import metrics
from poolware.web.asgi import PoolwareMiddleware as ASGIMiddleware
from poolware.web.wsgi import PoolwareMiddleware as WSGIMiddleware


class Visit(RequestContext):
    """What each request carries."""


def _hello(environ: Any, start_response: Any) -> Iterable[bytes]:
    Visit.of(environ).buffer(100).write(b"hello")
    start_response("200 OK", [("Content-Length", "5"), ("X-Pid", str(os.getpid()))])
    return [b"hello"]


async def _ahello(scope: Any, receive: Any, send: Any) -> None:
    Visit.of(scope).buffer(100).write(b"hello")
    headers = [(b"content-length", b"5"), (b"x-pid", str(os.getpid()).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


lifecycle = Lifecycle(Visit)
_served, _aserved = WSGIMiddleware(_hello, lifecycle), ASGIMiddleware(_ahello, lifecycle)


def wsgi(environ: Any, start_response: Any) -> Iterable[bytes]:
    served = metrics.wsgi_app if environ["PATH_INFO"] == "/metrics" else _served
    return served(environ, start_response)


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        return
    served = metrics.asgi_app if scope["path"] == "/metrics" else _aserved
    await served(scope, receive, send)
