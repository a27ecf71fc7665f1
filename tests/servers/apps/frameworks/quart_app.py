"""Quart, with poolware around its ASGI application."""

from __future__ import annotations

import asyncio
from typing import Any

from apps.frameworks.shared import STREAMS, enter, home, linger, look
from apps.visit import VisitContext
from quart import Quart, abort, request, websocket

from poolware.web.asgi import PoolwareMiddleware

app = Quart(__name__)
app.asgi_app = PoolwareMiddleware(app.asgi_app, home)  # type: ignore[method-assign]


@app.get("/visit/<kind>")
async def visit(kind: str) -> Any:
    here = enter(request, request.args)
    if kind in STREAMS:
        return STREAMS[kind](here)
    match kind:
        case "raise":
            raise RuntimeError(here.account())
        case "refuse":
            abort(404, here.account().decode())
        case "linger":
            return await linger(here)
        case "behind":
            app.add_background_task(remember, here.ctx.detach())
    return here.account()


async def remember(ctx: VisitContext) -> None:
    """Quart waits for no task: this one gets a copy."""
    look(ctx, "background")


@app.websocket("/socket")
async def talk() -> None:
    here = enter(websocket, websocket.args)
    await websocket.accept()
    try:
        while (text := await websocket.receive()) != "close":
            await websocket.send(f"{text} {here.account().decode()}")
    except asyncio.CancelledError:
        look(here.ctx, "websocket left")
        raise
    await websocket.close(1000)
