"""Applications with a fault, and without one, for each interface."""

import asyncio
import threading
from contextlib import suppress
from typing import Any

from flask import Flask, request
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

import starlette_poolware
from flask_poolware import Poolware
from poolware import ContextReleased, Lifecycle, ObjectPool, RequestContext, SecretField, field, secret

shared_by_all: dict[str, Any] = {}
kept: list[Any] = []


class Cart:
    def __init__(self):
        self.items = []
        self.owner = None

    def clear(self):
        self.items.clear()
        self.owner = None

    def clear_badly(self):
        self.items.clear()


class Good(RequestContext):
    tenant: str = ""
    visits: int = 0
    roles: set[str] = field(factory=set)
    email: str | None = field(default=None, sensitive=True)
    token: SecretField = secret()
    cart: Cart = field(factory=Cart, reset=Cart.clear)


class SharedFactory(RequestContext):
    settings: dict[str, Any] = field(factory=lambda: shared_by_all)


class ForgetfulReset(RequestContext):
    cart: Cart = field(factory=Cart, reset=Cart.clear_badly)


notebooks = ObjectPool(list, reset=list.clear)


def starlette(context=Good, view=None):
    async def fine(request):
        request.ctx.roles.add("reader")
        request.ctx.token = "geheim"
        request.ctx.buffer(5000).write(b"x" * 5000)
        await asyncio.sleep(0)
        return PlainTextResponse("fine")

    async def fail(request):
        raise RuntimeError(request.ctx.request_id)

    async def stream(request):
        async def pieces():
            for _ in range(3):
                yield request.ctx.request_id.encode()
                await asyncio.sleep(0)

        return StreamingResponse(pieces())

    routes = [Route("/", view or fine, methods=["GET", "POST"]), Route("/fail", fail), Route("/stream", stream)]
    app = Starlette(routes=routes)
    starlette_poolware.init_app(app, Lifecycle(context))
    return app


def flask(context=Good, view=None):
    app = Flask("shop")
    Poolware(app, Lifecycle(context))

    def fine():
        request.ctx.roles.add("reader") if context is Good else None
        return "fine"

    def stream():
        ctx = request.ctx

        def pieces():
            for _ in range(3):
                yield ctx.request_id

        return pieces()

    app.add_url_rule("/", view_func=view or fine)
    app.add_url_rule("/stream", view_func=stream)
    return app


# --- views with a fault -----------------------------------------------------------------------------------------------


async def keeps_the_context(request):
    kept.append(request.ctx)
    return PlainTextResponse("kept")


async def uses_it_in_a_task(request):
    ctx = request.ctx

    async def later():
        for _ in range(10):
            await asyncio.sleep(0)
        with suppress(ContextReleased):
            ctx.tenant = "too late"

    kept.append(asyncio.create_task(later()))
    kept[-1].add_done_callback(kept.remove)
    return PlainTextResponse("later")


async def keeps_a_thread_busy(request):
    ctx, leave = request.ctx, threading.Event()

    def wait(ctx):
        leave.wait(60)
        del ctx

    thread = threading.Thread(target=wait, args=(ctx,), name="reporter")
    thread.start()
    kept.append((thread, leave))
    return PlainTextResponse("busy")
