"""Starlette, with poolware around everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from apps.control import ASGIControl, control
from apps.visit import Visit, VisitContext, Visitor, arrive, lifecycle
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from poolware import ContextMissing, ContextReleased
from starlette_poolware import init_app, read_body

LIMIT = 256 * 1024


async def visit(request: Request) -> Response:
    visitor = Visitor.named(request.query_params)
    here = arrive(request.ctx, request.scope, visitor)
    await asyncio.sleep(visitor.pause)
    match request.path_params["kind"]:
        case "raise":
            raise RuntimeError(here.account())
        case "leave":
            return StreamingResponse(pieces(here, visitor, 200))
        case "stream":
            return StreamingResponse(pieces(here, visitor, 3))
        case "cancel":
            await gone(request)
            asyncio.current_task().cancel()
            await asyncio.sleep(0)
    return Response(here.account())


async def pieces(here: Visit, visitor: Visitor, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield here.account()
        await asyncio.sleep(visitor.pause)


async def gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def hello(_request: Request) -> Response:
    return PlainTextResponse("hello")


async def unchanged(_request: Request) -> Response:
    return Response(status_code=304)


async def endless(request: Request) -> Response:
    ctx = VisitContext.of(request)

    async def stream() -> AsyncIterator[bytes]:
        ctx.buffer(4096).write(b"kept until the end")
        try:
            for number in range(10_000):
                yield f"{number}\n".encode()
                await asyncio.sleep(0.01)
        finally:
            control.saw(f"stream closed with {type(ctx).__name__}")

    return StreamingResponse(stream())


async def wedged(_request: Request) -> Response:
    async def stream() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        msg = "half way"
        raise RuntimeError(msg)

    return StreamingResponse(stream(), headers={"Content-Length": "2000"})


async def slow(request: Request) -> Response:
    ctx = VisitContext.of(request)
    ctx.tenant = "patient"
    control.saw("slow began")
    await asyncio.sleep(float(request.query_params.get("seconds", "0.5")))
    control.saw(f"slow ended as {ctx.tenant}")
    return PlainTextResponse(ctx.tenant)


async def upload(request: Request) -> Response:
    body = await read_body(request, limit=LIMIT)
    return PlainTextResponse(f"{len(body)}")


async def background(request: Request) -> Response:
    ctx = VisitContext.of(request)
    ctx.tenant = "behind"

    def later() -> None:
        control.saw(f"background saw {request.ctx.tenant}")
        control.actions["look-back"] = look_back

    def look_back() -> str:
        """After the end: neither the request nor whoever kept the context gets anything from it; then forget both."""
        del control.actions["look-back"]
        try:
            request.ctx.tenant = "too late"
        except ContextMissing:
            pass
        else:
            return "the request still has its context"
        try:
            return f"a kept context says {ctx.tenant}"
        except ContextReleased:
            return "gone"

    return PlainTextResponse("answered", background=BackgroundTask(later))


async def socket(websocket: WebSocket) -> None:
    ctx = VisitContext.of(websocket)
    ctx.tenant = "on the line"
    if websocket.query_params.get("deny"):
        await websocket.close()
        return
    await websocket.accept()
    try:
        while (text := await websocket.receive_text()) != "close":
            await websocket.send_text(f"{text} {ctx.tenant} {id(ctx)}")
        await websocket.close()
    except WebSocketDisconnect:
        control.saw("websocket left")


ROUTES: list[Any] = [
    Route("/visit/{kind}", visit),
    Route("/hello", hello),
    Route("/unchanged", unchanged),
    Route("/endless", endless),
    Route("/wedged", wedged),
    Route("/slow", slow),
    Route("/upload", upload, methods=["POST"]),
    Route("/background", background),
    WebSocketRoute("/socket", socket),
]
inner = Starlette(routes=ROUTES)
init_app(inner, lifecycle)
app = ASGIControl(inner)
