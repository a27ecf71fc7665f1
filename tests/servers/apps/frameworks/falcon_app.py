"""Falcon, for ASGI and for WSGI, with poolware around it."""

from __future__ import annotations

from typing import Any

import falcon.asgi
from apps.frameworks.shared import STREAMS, STREAMS_SYNC, enter, home, linger, look
from apps.visit import VisitContext

from poolware.web.asgi import PoolwareMiddleware as ASGIPoolware
from poolware.web.wsgi import PoolwareMiddleware as WSGIPoolware


class VisitAsync:
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, kind: str) -> None:
        here = enter(req, req.params)
        if kind in STREAMS:
            resp.stream = STREAMS[kind](here)
            return
        match kind:
            case "raise":
                raise RuntimeError(here.account())
            case "refuse":
                raise falcon.HTTPNotFound(title=here.account().decode())
            case "linger":
                resp.data = await linger(here)
                return
            case "behind":
                resp.schedule(remember(here.ctx.detach()))
        resp.data = here.account()


def remember(ctx: VisitContext) -> Any:
    """Falcon waits for no scheduled callback: this one gets a copy."""

    async def later() -> None:
        look(ctx, "background")

    return later


class Talk:
    async def on_websocket(self, req: falcon.asgi.Request, ws: falcon.asgi.WebSocket) -> None:
        here = enter(req, req.params)
        await ws.accept()
        try:
            while (text := await ws.receive_text()) != "close":
                await ws.send_text(f"{text} {here.account().decode()}")
        except falcon.WebSocketDisconnected:
            look(here.ctx, "websocket left")
            return
        await ws.close()


class Visit:
    def on_get(self, req: falcon.Request, resp: falcon.Response, kind: str) -> None:
        here = enter(req, req.params)
        if kind in STREAMS_SYNC:
            resp.stream = STREAMS_SYNC[kind](here)
            return
        match kind:
            case "raise":
                raise RuntimeError(here.account())
            case "refuse":
                raise falcon.HTTPNotFound(title=here.account().decode())
        resp.data = here.account()


_asgi = falcon.asgi.App()
_asgi.add_route("/visit/{kind}", VisitAsync())
_asgi.add_route("/socket", Talk())
asgi = ASGIPoolware(_asgi, home)

_wsgi = falcon.App()
_wsgi.add_route("/visit/{kind}", Visit())
wsgi = WSGIPoolware(_wsgi, home)
