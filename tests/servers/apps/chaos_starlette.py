"""Starlette for the chaos, on asyncio and on trio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import anyio
from apps.chaos_visit import (
    HELD_FOR,
    LIMIT,
    ChaosContext,
    Visit,
    Visitor,
    arrive,
    keep_context,
    keep_part,
    look_at_context,
    watch,
)
from apps.control import ASGIControl, control
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from poolware import BufferPool, Lifecycle
from starlette_poolware import BufferResponse, init_app, read_body

_tasks: set[asyncio.Task[None]] = set()


async def visit(request: Request) -> Response:
    visitor = Visitor.named(request.query_params)
    here = arrive(request.ctx, request.scope, visitor)
    await anyio.sleep(visitor.pause)
    match request.path_params["kind"]:
        case "raise":
            raise RuntimeError(here.account())
        case "leave":
            return StreamingResponse(pieces(here, visitor, 200))
        case "stream":
            return StreamingResponse(pieces(here, visitor, 3))
        case "slow":
            return BufferResponse(here.big())
        case "upload":
            body = await read_body(request, limit=LIMIT)
            return Response(here.account() + b" %d" % len(body))
        case "linger":
            linger(here, visitor)
        case "parts":
            keep_part(here, visitor)
        case "cancel":
            await be_cancelled(request)
    return Response(here.account())


async def pieces(here: Visit, visitor: Visitor, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield here.account()
        await anyio.sleep(visitor.pause)


async def be_cancelled(request: Request) -> None:
    """Be cancelled when the client has gone, as some servers do it."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    if on_asyncio():
        asyncio.current_task().cancel()
        await asyncio.sleep(0)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await anyio.sleep(1)


def linger(here: Visit, visitor: Visitor) -> None:
    """H06: a task or a thread has the context for a while, most of it after the response."""
    if visitor.size % 2 and on_asyncio():
        task = asyncio.create_task(stay(here.ctx, visitor))
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
    else:
        keep_context(here, visitor)


async def stay(ctx: ChaosContext, visitor: Visitor) -> None:
    await asyncio.sleep(HELD_FOR)
    control.wrong(*look_at_context(ctx, visitor))


def on_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


inner: Any = Starlette(routes=[Route("/visit/{kind}", visit, methods=["GET", "POST"])])
init_app(inner, watch(Lifecycle(ChaosContext, buffers=BufferPool(name="chaos"))))
app = ASGIControl(inner)
