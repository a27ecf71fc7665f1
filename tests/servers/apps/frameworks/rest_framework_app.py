"""Django REST framework and Channels: views in ``wsgi`` and ``asgi``, and a consumer beside the latter."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from apps.frameworks.shared import STREAMS, STREAMS_SYNC, enter, home, look
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import StreamingHttpResponse
from django.urls import path
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from poolware.web.asgi import PoolwareMiddleware


@api_view()
def visit(request: Request, kind: str) -> Any:
    here = enter(request, request.query_params)
    streams = STREAMS if hasattr(request, "scope") else STREAMS_SYNC
    if kind in streams:
        return StreamingHttpResponse(streams[kind](here))
    match kind:
        case "raise":
            raise RuntimeError(here.account())
        case "refuse":
            raise NotFound(here.account().decode())
    return Response(here.account().decode())


class Talk(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        self.here = enter(self, dict(parse_qsl(self.scope["query_string"].decode())))
        await self.accept()

    async def receive(self, text_data: str = "", bytes_data: bytes | None = None) -> None:
        if text_data == "close":
            await self.close()
        else:
            await self.send(f"{text_data} {self.here.account().decode()}")

    async def disconnect(self, code: int) -> None:
        look(self.here.ctx, "websocket left")


urlpatterns = [path("visit/<kind>", visit)]
wsgi = get_wsgi_application()
asgi = PoolwareMiddleware(
    ProtocolTypeRouter({"http": get_asgi_application(), "websocket": URLRouter([path("socket", Talk.as_asgi())])}),
    home,
)
