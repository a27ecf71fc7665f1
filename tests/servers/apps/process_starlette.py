"""Starlette: requests that are in flight for as long as the test wants them to be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from apps.control import ASGIControl
from apps.process_visit import BARE, END, LIMIT, begin, lifecycle, note, wait, wait_async
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from starlette_poolware import init_app, read_body


async def brief(request: Request) -> Response:
    return Response(begin("brief", request, request.scope, request.query_params)() + END)


async def slow(request: Request) -> Response:
    account = begin("slow", request, request.scope, request.query_params)
    await wait_async()
    return Response(account() + END)


async def stuck(request: Request) -> Response:
    account = begin("stuck", request, request.scope, request.query_params)
    wait()
    return Response(account() + END)


async def stream(request: Request) -> Response:
    account = begin("stream", request, request.scope, request.query_params)

    async def pieces() -> AsyncIterator[bytes]:
        yield account()
        await wait_async()
        yield account() + END

    return StreamingResponse(pieces())


async def upload(request: Request) -> Response:
    account = begin("upload", request, request.scope, request.query_params)
    body = await (request.body() if BARE else read_body(request, limit=LIMIT))
    return Response(account() + f" {len(body)}".encode() + END)


async def socket(websocket: WebSocket) -> None:
    account = begin("socket", websocket, websocket.scope, websocket.query_params)
    await websocket.accept()
    try:
        await websocket.receive_text()
        await websocket.send_bytes(account() + END)
        await websocket.close()
    except WebSocketDisconnect as end:
        note(f"told {end.code}")


ROUTES: list[Any] = [
    Route("/brief", brief),
    Route("/slow", slow),
    Route("/stuck", stuck),
    Route("/stream", stream),
    Route("/upload", upload, methods=["POST"]),
    WebSocketRoute("/socket", socket),
]
inner = Starlette(routes=ROUTES)
if not BARE:
    init_app(inner, lifecycle)
app = ASGIControl(inner)
