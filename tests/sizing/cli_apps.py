"""Applications that the command is given."""

import sys

from poolware import RequestContext, field
from poolware.web.asgi import PoolwareMiddleware


class Basket:
    def __init__(self):
        self.items = []

    def forget(self):
        """Forgets to forget."""


class Clean(RequestContext):
    tenant: str = ""


class Dirty(RequestContext):
    basket: Basket = field(factory=Basket, reset=Basket.forget)


async def answer(scope, _receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


async def does_not_start(_scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


def leaves(_environ, _start_response):
    sys.exit(0)


async def leaves_later(scope, _receive, _send):
    if scope["type"] == "http":
        sys.exit(0)


class Alien(BaseException):
    pass


async def alien(_scope, _receive, _send):
    raise Alien("from outer space")


async def without_lifespan(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("what is that?")
    print("served")  # noqa: T201 - what a test is about
    await answer(scope, receive, send)


def wsgi(environ, start_response):
    start_response("200 OK" if environ["REQUEST_METHOD"] == "POST" else "405 Method Not Allowed", [])
    return [b"ok"]


works = PoolwareMiddleware(answer, context=Clean)
dirty = PoolwareMiddleware(answer, context=Dirty)
