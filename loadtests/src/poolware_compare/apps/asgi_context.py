"""Contexts without poolware, under ASGI: made when a request begins, handed back when it has ended."""

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from poolware_compare.apps.work import request_id


class Contexts:
    """ASGI middleware that keeps a context of the kit in the scope."""

    def __init__(self, app: ASGIApp, kit: Any) -> None:
        self.app = app
        self.kit = kit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        asked = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), None)
        ctx = scope["ctx"] = self.kit.begin(request_id(asked))
        try:
            await self.app(scope, receive, send)
        finally:
            del scope["ctx"]
            self.kit.end(ctx)
