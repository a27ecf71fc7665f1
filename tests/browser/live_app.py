"""An application with the live page, whose requests leak and exhaust pools."""

import contextlib
import os
import threading

from poolware import Lifecycle, ObjectPool, PoolUnavailable, RequestContext, ResourcePool
from poolware.observe import Alerts, Share, start
from poolware.web import dashboard
from poolware.web.asgi import PoolwareMiddleware as ASGIMiddleware
from poolware.web.wsgi import PoolwareMiddleware as WSGIMiddleware


class Visit(RequestContext):
    """What each request carries."""


lifecycle = Lifecycle(Visit)
uploads = ObjectPool(dict, reset=dict.clear, name="uploads")
database = ResourcePool(object, max_size=2, name="database")
kept = []
page = {"held_for": 1.0}
live, alive = dashboard.wsgi(**page), dashboard.asgi(**page)

start(every=0.2, history=12.0, share=Share(), alerts=Alerts(PoolwareCallersWaiting={"lasts": 0.0}))


def answer(path):
    if path == "/leak":
        kept.extend(uploads.acquire() for _ in range(12))
    if path == "/exhaust":
        kept.extend(database.acquire() for _ in range(2))
        for _ in range(3):
            threading.Thread(target=wait, daemon=True).start()
    return str(os.getpid()).encode()


def wait():
    with contextlib.suppress(PoolUnavailable):
        database.acquire(timeout=120)


def _visit(environ, start_response):
    body = answer(environ["PATH_INFO"])
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


async def _avisit(scope, receive, send):
    body = answer(scope["path"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


_visits, _avisits = WSGIMiddleware(_visit, lifecycle), ASGIMiddleware(_avisit, lifecycle)


def wsgi(environ, start_response):
    path = environ["PATH_INFO"]
    if not path.startswith("/poolware"):
        return _visits(environ, start_response)
    inner = {"SCRIPT_NAME": "/poolware", "PATH_INFO": path.removeprefix("/poolware")}
    return live(environ | inner, start_response)


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    if scope["path"].startswith("/poolware"):
        await alive({**scope, "root_path": "/poolware"}, receive, send)
    else:
        await _avisits(scope, receive, send)
