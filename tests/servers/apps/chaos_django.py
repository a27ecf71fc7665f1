"""Django for the chaos; ``wsgi`` and ``asgi`` are the two entrances."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import django
from apps.chaos_visit import LIMIT, Visit, Visitor, arrive, keep_context, keep_part, watch
from apps.control import ASGIControl, WSGIControl
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from django_poolware import lifecycle, read_body
from poolware.context.carrier import carrier_of


def visit(request: HttpRequest, kind: str) -> Any:
    visitor = Visitor.named(request.GET)
    here = arrive(request.ctx, carrier_of(request), visitor)
    time.sleep(visitor.pause)
    match kind:
        case "leave":
            return StreamingHttpResponse(pieces(here, visitor, 200))
        case "stream":
            return StreamingHttpResponse(pieces(here, visitor, 3))
        case "cancel":
            time.sleep(0.03)
    return answer(request, here, visitor, kind)


def pieces(here: Visit, visitor: Visitor, count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield here.account()
        time.sleep(visitor.pause)


async def visit_async(request: HttpRequest, kind: str) -> Any:
    visitor = Visitor.named(request.GET)
    here = arrive(request.ctx, carrier_of(request), visitor)
    await asyncio.sleep(visitor.pause)
    match kind:
        case "leave":
            return StreamingHttpResponse(pieces_async(here, visitor, 200))
        case "stream":
            return StreamingHttpResponse(pieces_async(here, visitor, 3))
        case "cancel":
            await asyncio.sleep(10)
    return answer(request, here, visitor, kind)


async def pieces_async(here: Visit, visitor: Visitor, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield here.account()
        await asyncio.sleep(visitor.pause)


def answer(request: HttpRequest, here: Visit, visitor: Visitor, kind: str) -> Any:
    """Give the answers of both kinds of views."""
    match kind:
        case "raise":
            raise RuntimeError(here.account())
        case "slow":
            return HttpResponse(here.big().getvalue())
        case "upload":
            body = read_body(request, limit=LIMIT)
            return HttpResponse(here.account() + b" %d" % len(body))
        case "linger":
            keep_context(here, visitor)
        case "parts":
            keep_part(here, visitor)
    return HttpResponse(here.account())


urlpatterns = [path("visit/<kind>", visit), path("async/visit/<kind>", visit_async)]
settings.configure(
    SECRET_KEY="a test's own",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django_poolware"],
    MIDDLEWARE=["django_poolware.middleware.PoolwareMiddleware"],
    POOLWARE={"CONTEXT": "chaos.samples.ChaosContext"},
)
django.setup()
watch(lifecycle())
wsgi = WSGIControl(get_wsgi_application())
asgi = ASGIControl(get_asgi_application())
