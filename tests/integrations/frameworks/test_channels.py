"""Channels: consumers within copies of the scope, and what Django serves beside them."""

import asyncio

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.middleware import BaseMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.testing import WebsocketCommunicator
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from starlette.testclient import TestClient

from django_poolware import lifecycle
from poolware import RequestContext
from poolware.web.asgi import PoolwareMiddleware


class AppContext(RequestContext):
    tenant: str = ""


class AsyncTalk(AsyncWebsocketConsumer):
    async def connect(self):
        AppContext.of(self).tenant = "acme"
        await self.accept()

    async def receive(self, text_data=None, bytes_data=None):
        assert AppContext.of(self) is AppContext.of(self.scope)
        await self.send(f"{AppContext.of(self).tenant} {text_data}")


class SyncTalk(WebsocketConsumer):
    def connect(self):
        AppContext.of(self).tenant = "acme"
        self.accept()

    def receive(self, text_data=None, bytes_data=None):
        self.send(f"{AppContext.of(self).tenant} {text_data}")


def view(request):
    before, request.ctx.tenant = request.ctx.tenant, "acme"
    return HttpResponse(f"{before}, then {request.ctx.tenant}")


urlpatterns = [path("", view)]


@pytest.fixture
def application():
    with override_settings(
        MIDDLEWARE=["django_poolware.middleware.PoolwareMiddleware"],
        POOLWARE={"CONTEXT": AppContext},
        ROOT_URLCONF=__name__,
    ):
        routes = URLRouter([path("async", AsyncTalk.as_asgi()), path("sync", SyncTalk.as_asgi())])
        yield PoolwareMiddleware(
            ProtocolTypeRouter({"http": get_asgi_application(), "websocket": BaseMiddleware(routes)}), lifecycle()
        )


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_consumer_has_the_context_of_its_connection(application, kind):
    """H22: through two copies of the scope, from connect until the client has gone."""

    async def talk():
        websocket = WebsocketCommunicator(application, f"/{kind}")
        assert (await websocket.connect())[0]
        for _ in range(2):
            await websocket.send_to(text_data="hello")
            assert await websocket.receive_from() == "acme hello"
        assert lifecycle().pool.get_stats().in_use == 1
        await websocket.disconnect()

    asyncio.run(talk())
    assert lifecycle().pool.get_stats().released == 1


def test_http_beside_it_begins_one_context_only(application):
    """H23: Django's middleware steps aside, and gives requests their ctx."""
    assert TestClient(application).get("/").text == ", then acme"
    assert lifecycle().pool.get_stats().acquired == 1
