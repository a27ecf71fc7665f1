"""Django: requests that are in flight for as long as a test wants them to be; ``wsgi`` and ``asgi`` are the entrances.

Under ASGI the plain view stays synchronous, in a thread of Django's, and the stream is asynchronous.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import django
from apps.control import ASGIControl, WSGIControl
from apps.process_visit import BARE, END, LIMIT, begin, wait, wait_async
from apps.visit import watch
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from django_poolware import lifecycle, read_body


def carrier_of(request: HttpRequest) -> Any:
    return getattr(request, "scope", None) or request.environ


def brief(request: HttpRequest) -> Any:
    return HttpResponse(begin("brief", request, carrier_of(request), request.GET)() + END)


def slow(request: HttpRequest) -> Any:
    account = begin("slow", request, carrier_of(request), request.GET)
    wait()
    return HttpResponse(account() + END)


def stream(request: HttpRequest) -> Any:
    account = begin("stream", request, carrier_of(request), request.GET)

    def pieces() -> Iterator[bytes]:
        yield account()
        wait()
        yield account() + END

    async def pieces_async() -> AsyncIterator[bytes]:
        yield account()
        await wait_async()
        yield account() + END

    return StreamingHttpResponse(pieces_async() if hasattr(request, "scope") else pieces())


def upload(request: HttpRequest) -> Any:
    account = begin("upload", request, carrier_of(request), request.GET)
    body = request.body if BARE else read_body(request, limit=LIMIT)
    return HttpResponse(account() + f" {len(body)}".encode() + END)


urlpatterns = [path("brief", brief), path("slow", slow), path("stream", stream), path("upload", upload)]
settings.configure(
    SECRET_KEY="a test's own",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django_poolware"],
    MIDDLEWARE=[] if BARE else ["django_poolware.middleware.PoolwareMiddleware"],
    POOLWARE={"CONTEXT": "apps.visit.VisitContext"},
)
django.setup()
watch(lifecycle())
wsgi = WSGIControl(get_wsgi_application())
asgi = ASGIControl(get_asgi_application())
