"""Django, with poolware's middleware behind one that counts; ``wsgi`` and ``asgi`` are the two entrances."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import django
from apps.control import ASGIControl, WSGIControl, control
from apps.visit import Visit, VisitContext, Visitor, arrive, watch
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.urls import path
from django.utils.decorators import sync_and_async_middleware

from django_poolware import lifecycle, read_body

LIMIT = 256 * 1024


@sync_and_async_middleware
def counting(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Count what reaches poolware: Django's handlers may end a request before its first middleware."""

    async def count_async(request: HttpRequest) -> Any:
        control.count()
        return await get_response(request)

    def count(request: HttpRequest) -> Any:
        control.count()
        return get_response(request)

    return count_async if iscoroutinefunction(get_response) else count


def carrier_of(request: HttpRequest) -> Any:
    return getattr(request, "scope", None) or request.environ


def visit(request: HttpRequest, kind: str) -> Any:
    visitor = Visitor.named(request.GET)
    here = arrive(request.ctx, carrier_of(request), visitor)
    time.sleep(visitor.pause)
    match kind:
        case "raise":
            raise RuntimeError(here.account())
        case "leave":
            return StreamingHttpResponse(pieces(here, visitor, 200))
        case "stream":
            return StreamingHttpResponse(pieces(here, visitor, 3))
        case "cancel":
            time.sleep(0.03)
    return HttpResponse(here.account())


def pieces(here: Visit, visitor: Visitor, count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield here.account()
        time.sleep(visitor.pause)


async def visit_async(request: HttpRequest, kind: str) -> Any:
    visitor = Visitor.named(request.GET)
    here = arrive(request.ctx, carrier_of(request), visitor)
    await asyncio.sleep(visitor.pause)
    match kind:
        case "raise":
            raise RuntimeError(here.account())
        case "leave":
            return StreamingHttpResponse(pieces_async(here, visitor, 200))
        case "stream":
            return StreamingHttpResponse(pieces_async(here, visitor, 3))
        case "cancel":
            await asyncio.sleep(10)
    return HttpResponse(here.account())


async def pieces_async(here: Visit, visitor: Visitor, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield here.account()
        await asyncio.sleep(visitor.pause)


def hello(_request: HttpRequest) -> Any:
    return HttpResponse("hello")


def unchanged(_request: HttpRequest) -> Any:
    return HttpResponseNotModified()


def endless(request: HttpRequest) -> Any:
    ctx = VisitContext.of(request)

    def stream() -> Iterator[bytes]:
        ctx.buffer(4096).write(b"kept until the end")
        try:
            for number in range(10_000):
                yield f"{number}\n".encode()
                time.sleep(0.01)
        finally:
            control.saw(f"stream closed with {type(ctx).__name__}")

    return StreamingHttpResponse(stream())


async def endless_async(request: HttpRequest) -> Any:
    ctx = VisitContext.of(request)

    async def stream() -> AsyncIterator[bytes]:
        ctx.buffer(4096).write(b"kept until the end")
        try:
            for number in range(10_000):
                yield f"{number}\n".encode()
                await asyncio.sleep(0.01)
        finally:
            control.saw(f"stream closed with {type(ctx).__name__}")

    return StreamingHttpResponse(stream())


def wedged(_request: HttpRequest) -> Any:
    def stream() -> Iterator[bytes]:
        yield b"x" * 1000
        msg = "half way"
        raise RuntimeError(msg)

    return StreamingHttpResponse(stream(), headers={"Content-Length": "2000"})


async def wedged_async(_request: HttpRequest) -> Any:
    async def stream() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        msg = "half way"
        raise RuntimeError(msg)

    return StreamingHttpResponse(stream(), headers={"Content-Length": "2000"})


def slow(request: HttpRequest) -> Any:
    ctx = VisitContext.of(request)
    buffer = ctx.buffer(4096)
    ctx.tenant = "patient"
    control.saw("slow began")
    time.sleep(float(request.GET.get("seconds", "0.5")))
    try:
        buffer.write(b"still here")
        control.saw(f"slow ended as {ctx.tenant}")
    except Exception as error:
        control.saw(f"slow ended with {type(error).__name__}")
        raise
    return HttpResponse(ctx.tenant)


def upload(request: HttpRequest) -> Any:
    return HttpResponse(f"{len(read_body(request, limit=LIMIT))}")


urlpatterns = [
    path("visit/<kind>", visit),
    path("async/visit/<kind>", visit_async),
    path("hello", hello),
    path("unchanged", unchanged),
    path("endless", endless),
    path("async/endless", endless_async),
    path("wedged", wedged),
    path("async/wedged", wedged_async),
    path("slow", slow),
    path("upload", upload),
]
settings.configure(
    SECRET_KEY="a test's own",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django_poolware"],
    MIDDLEWARE=[f"{__name__}.counting", "django_poolware.middleware.PoolwareMiddleware"],
    POOLWARE={"CONTEXT": "apps.visit.VisitContext"},
)
django.setup()
watch(lifecycle())


def _nothing() -> None:
    """The middleware counts."""


wsgi = WSGIControl(get_wsgi_application(), _nothing)
asgi = ASGIControl(get_asgi_application(), _nothing)
