"""Litestar, with poolware among its middlewares."""

from __future__ import annotations

from typing import Any

from apps.frameworks.shared import STREAMS, enter, home, linger, look, remember
from litestar import Litestar, Request, Response, WebSocket, get, websocket
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import NotFoundException, WebSocketDisconnect
from litestar.middleware import DefineMiddleware
from litestar.params import FromPath
from litestar.response import Stream

from poolware.web.asgi import PoolwareMiddleware


@get("/visit/{kind:str}")
async def visit(request: Request[Any, Any, Any], kind: FromPath[str]) -> Response[Any]:
    here = enter(request, request.query_params)
    if kind in STREAMS:
        return Stream(STREAMS[kind](here))
    match kind:
        case "raise":
            raise RuntimeError(here.account())
        case "refuse":
            raise NotFoundException(here.account().decode())
        case "linger":
            return Response(await linger(here))
        case "behind":
            return Response(here.account(), background=BackgroundTask(remember, here))
    return Response(here.account())


@websocket("/socket")
async def talk(socket: WebSocket[Any, Any, Any]) -> None:
    here = enter(socket, socket.query_params)
    await socket.accept()
    try:
        while (text := await socket.receive_text()) != "close":
            await socket.send_text(f"{text} {here.account().decode()}")
    except WebSocketDisconnect:
        look(here.ctx, "websocket left")
        return
    await socket.close()


poolware = DefineMiddleware(PoolwareMiddleware, lifecycle=home)
app = Litestar([visit, talk], middleware=[poolware], openapi_config=None, logging_config=None)
