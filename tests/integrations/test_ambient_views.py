"""``current`` in views, and in what the frameworks run in other tasks and threads for a request."""

import io
from typing import Annotated

import pytest
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import path
from fastapi import Depends, FastAPI
from flask import Flask, Response
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

import starlette_poolware
from django_poolware.middleware import PoolwareMiddleware
from flask_poolware import Poolware
from poolware import ContextMissing, RequestContext, current

POOLWARE = "django_poolware.middleware.PoolwareMiddleware"


class AppContext(RequestContext):
    tenant: str = ""


def enter():
    assert current(AppContext).tenant == ""
    current(AppContext).tenant = "acme"


def pieces():
    for number in range(2):
        yield f"{number}{current(AppContext).tenant} "


async def async_pieces():
    for piece in pieces():
        yield piece


@pytest.fixture(autouse=True)
def _nothing_is_left():
    yield
    with pytest.raises(ContextMissing):
        current(AppContext)


# --- Starlette and FastAPI --------------------------------------------------------------------------------------------


@pytest.fixture
def client_of(make_client):
    def client_of(app):
        starlette_poolware.init_app(app, context=AppContext, ambient=True)
        return make_client(app, raise_server_exceptions=False)

    return client_of


async def view(request):
    enter()
    return StreamingResponse(async_pieces() if "async" in request.query_params else pieces())


def sync_view(request):
    return PlainTextResponse(current(AppContext).tenant)


class Tenant(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        enter()
        return await call_next(request)


@pytest.mark.parametrize("url", ["/", "/?async"])
def test_a_stream_on_starlette(client_of, url):
    """H19."""
    client = client_of(Starlette(routes=[Route("/", view)]))
    assert [client.get(url).text for _ in range(2)] == ["0acme 1acme "] * 2


def test_a_sync_view_below_a_middleware_that_starts_a_task(client_of):
    client = client_of(Starlette(routes=[Route("/", sync_view)], middleware=[Middleware(Tenant)]))
    assert [client.get("/").text for _ in range(2)] == ["acme"] * 2


def test_work_behind_the_answer_and_the_page_for_errors(client_of):
    """H16, H19: in threads, and outside of all other middlewares."""
    seen = []

    def note(*_):
        seen.append(current(AppContext).tenant)
        return PlainTextResponse("sorry", status_code=500)

    async def home(request):
        enter()
        return PlainTextResponse("spam", background=BackgroundTask(note))

    async def broken(request):
        enter()
        raise RuntimeError

    routes = [Route("/", home), Route("/broken", broken)]
    client = client_of(Starlette(routes=routes, exception_handlers={500: note}))
    assert [client.get(url).status_code for url in ("/", "/broken")] == [200, 500]
    assert seen == ["acme", "acme"]


def test_a_websocket(client_of):
    async def echo(websocket):
        await websocket.accept()
        enter()
        async for text in websocket.iter_text():
            await websocket.send_text(f"{current(AppContext).tenant}>{text}")

    with client_of(Starlette(routes=[WebSocketRoute("/", echo)])).websocket_connect("/") as websocket:
        for text in ("one", "two"):
            websocket.send_text(text)
            assert websocket.receive_text() == f"acme>{text}"


def test_dependencies_on_fastapi(client_of):
    """They run in threads; those with ``yield`` end in another one."""
    app = FastAPI()

    def tenant():
        enter()
        yield current(AppContext).tenant
        current(AppContext).tenant += " again"

    @app.get("/")
    async def route(name: Annotated[str, Depends(tenant)]):
        return name

    client = client_of(app)
    assert [client.get("/").json() for _ in range(2)] == ["acme"] * 2


# --- Flask ------------------------------------------------------------------------------------------------------------


def test_a_stream_on_flask():
    """H19: without ``stream_with_context``, as the context lasts until the server closes the response."""
    app = Flask("shop")
    Poolware(app, context=AppContext, ambient=True)
    app.before_request(enter)
    app.add_url_rule("/", view_func=lambda: Response(pieces()), endpoint="home")
    client = app.test_client()
    assert [client.get("/").text for _ in range(2)] == ["0acme 1acme "] * 2


def in_turns(streams):
    """What the streams give where one thread reads a piece of each in turns."""
    pieces = [iter(stream) for stream in streams]
    seen = [[next(piece) for piece in pieces] for _ in range(2)]
    with pytest.raises(ContextMissing):
        current(AppContext)
    for stream in streams:
        stream.close()
    return seen


def test_streams_on_flask_in_turns():
    """H10: as servers with a loop around WSGI read them."""
    app = Flask("shop")
    Poolware(app, context=AppContext, ambient=True)

    @app.get("/<tenant>")
    def home(tenant):
        current(AppContext).tenant = tenant
        return Response(pieces())

    streams = [app.test_client().get(url).iter_encoded() for url in ("/one", "/two")]
    assert in_turns(streams) == [[b"0one ", b"0two "], [b"1one ", b"1two "]]


# --- Django -----------------------------------------------------------------------------------------------------------


def django_view(request):
    enter()
    return HttpResponse(current(AppContext).tenant)


async def django_async_view(request):
    return django_view(request)


def django_stream(request):
    enter()
    return StreamingHttpResponse(pieces())


async def django_async_stream(request):
    enter()
    return StreamingHttpResponse(async_pieces())


def django_tenant(request, tenant):
    current(AppContext).tenant = tenant
    return StreamingHttpResponse(pieces_and_end())


def pieces_and_end():
    try:
        yield from pieces()
        yield b""
    finally:
        ends.append(current(AppContext).tenant)


ends = []
urlpatterns = [
    path("tenant/<tenant>", django_tenant),
    path("view", django_view),
    path("async-view", django_async_view),
    path("stream", django_stream),
    path("async-stream", django_async_stream),
]


@pytest.fixture
def _project():
    settings = {"CONTEXT": AppContext, "AMBIENT": True}
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[POOLWARE], POOLWARE=settings):
        yield


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.usefixtures("_project")
@pytest.mark.parametrize(
    ("url", "content"), [("/view", b"acme"), ("/async-view", b"acme"), ("/stream", b"0acme 1acme ")]
)
def test_django_under_wsgi(url, content):
    client = Client()
    assert [client.get(url).getvalue() for _ in range(2)] == [content] * 2


@pytest.mark.usefixtures("_project")
def test_streams_on_django_in_turns():
    """H10: as servers with a loop around WSGI read them; what is done at the end finds its own request too."""
    ends.clear()
    streams = [Client().get(f"/tenant/{name}") for name in ("one", "two")]
    assert in_turns(streams) == [[b"0one ", b"0two "], [b"1one ", b"1two "]]
    assert ends == ["one", "two"]


@pytest.mark.usefixtures("_project")
def test_a_file_on_django_is_left_to_the_server():
    """H21."""
    file = io.BytesIO(b"spam")
    response = PoolwareMiddleware(lambda _request: FileResponse(file))(RequestFactory().get("/"))
    assert response.file_to_stream is file
    assert response.getvalue() == b"spam"
    response.close()


@pytest.mark.anyio
@pytest.mark.usefixtures("_project")
@pytest.mark.parametrize(
    ("url", "content"), [("/view", b"acme"), ("/async-view", b"acme"), ("/async-stream", b"0acme 1acme ")]
)
async def test_django_under_asgi(url, content):
    client = AsyncClient()
    for _ in range(2):
        response = await client.get(url)
        seen = b"".join([piece async for piece in response]) if response.streaming else response.content
        response.close()
        assert seen == content
