"""H23: Django inside of the generic middlewares: one owner, the outermost, with its own context class."""

from pathlib import Path
from wsgiref.util import FileWrapper, setup_testing_defaults

import anyio
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import FileResponse, HttpResponse
from django.test import override_settings
from django.urls import path

from django_poolware import lifecycle, read_body
from poolware import RequestContext
from poolware.web.asgi import PoolwareMiddleware as ASGIMiddleware
from poolware.web.wsgi import PoolwareMiddleware as WSGIMiddleware

KEY = "poolware.ctx"
POOLWARE = "django_poolware.middleware.PoolwareMiddleware"


class OuterContext(RequestContext):
    pass


class DjangoContext(RequestContext):
    pass


def view(request):
    return HttpResponse(type(request.ctx).__name__)


async def async_view(request):
    return HttpResponse(type(request.ctx).__name__)


def body(request):
    return HttpResponse(read_body(request, limit=1).getvalue())


def file(request):
    return FileResponse(Path(__file__).open("rb"))


urlpatterns = [path("view", view), path("async", async_view), path("body", body), path("file", file)]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def _project():
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[POOLWARE], POOLWARE={"CONTEXT": DjangoContext}):
        yield


async def serve_asgi(app, path, content=b""):
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": []}
    received, sent = [{"type": "http.request", "body": content}], []

    async def receive():
        if not received:
            await anyio.sleep_forever()
        return received.pop()

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    assert KEY not in scope
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/view", "/async"])
async def test_under_the_asgi_middleware(path):
    outer = ASGIMiddleware(ASGIHandler(), context=OuterContext)
    assert await serve_asgi(outer, path) == (200, b"OuterContext")
    assert outer.lifecycle.pool.get_stats().released == 1
    assert lifecycle().pool.get_stats().acquired == 0


@pytest.mark.anyio
async def test_a_refused_body_under_the_asgi_middleware_is_answered_once():
    """H41: by Django's middleware, inside."""
    status, text = await serve_asgi(ASGIMiddleware(ASGIHandler(), context=OuterContext), "/body", b"spam")
    assert status == 413
    assert text == b"the request's body has more than 1 bytes, the most that are taken\n"


@pytest.mark.parametrize("path", ["/view", "/async"])
def test_under_the_wsgi_middleware(path):
    environ = {"PATH_INFO": path}
    setup_testing_defaults(environ)
    outer = WSGIMiddleware(WSGIHandler(), context=OuterContext)
    response = outer(environ, lambda *_: None)
    assert b"".join(response) == b"OuterContext"
    assert KEY in environ
    response.close()
    assert KEY not in environ
    assert outer.lifecycle.pool.get_stats().released == 1
    assert lifecycle().pool.get_stats().acquired == 0


def test_a_file_under_the_wsgi_middleware_keeps_the_servers_wrapper():
    """H21."""
    environ = {"PATH_INFO": "/file", "wsgi.file_wrapper": FileWrapper}
    setup_testing_defaults(environ)
    response = WSGIMiddleware(WSGIHandler(), context=OuterContext)(environ, lambda *_: None)
    assert type(response) is FileWrapper
    response.close()
    assert response.filelike.closed
    assert KEY not in environ
