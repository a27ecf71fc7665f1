"""A pool with nothing to lend is answered with 503 and Retry-After, by every integration."""

from typing import Annotated, Any

import pytest
from django.test import AsyncClient, Client, override_settings
from django.urls import path
from fastapi import Depends, FastAPI
from flask import Flask
from flask import request as flask_request
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

import starlette_poolware
from flask_poolware import Poolware
from poolware import PoolTimeout, RequestContext, TooManyWaiting
from poolware.web.asgi import PoolwareMiddleware as ASGIMiddleware
from poolware.web.wsgi import PoolwareMiddleware as WSGIMiddleware

REASON = "10 of 10 in use, 7 wait"


class AppContext(RequestContext):
    tenant: str = ""


class Empty:
    """Whose errors say more than a client is to know."""

    def acquire(self):
        raise PoolTimeout(REASON)

    async def aacquire(self):
        error = TooManyWaiting(REASON)
        error.retry_after = 7
        raise error

    def release(self, obj):
        raise NotImplementedError


POOL = Empty()


@pytest.fixture
def check(caplog):
    """503, when to come back, nothing about the pool; that is logged, with the route."""

    def check(status: int, headers: Any, body: str, *, wait: str) -> None:
        assert status == 503
        assert headers["retry-after"] == wait
        assert "Service Unavailable" in body
        assert REASON not in body
        told = [(r.levelname, r.getMessage()) for r in caplog.records if r.name == "poolware"]
        assert told == [("WARNING", f"GET / was answered with 503: {REASON}")]

    return check


async def waits(request):
    await request.ctx.aborrow(POOL)


def blocks(request):
    request.ctx.borrow(POOL)


views = pytest.mark.parametrize(("view", "wait"), [(waits, "7"), (blocks, "1")])


@views
@pytest.mark.parametrize("how", ["init_app", "add_middleware"])
def test_starlette(make_client, how, view, wait, check):
    app = Starlette(routes=[Route("/", view)])
    if how == "init_app":
        starlette_poolware.init_app(app, context=AppContext)
    else:
        app.add_middleware(starlette_poolware.PoolwareMiddleware, context=AppContext)
    response = make_client(app).get("/")
    check(response.status_code, response.headers, response.text, wait=wait)


def test_fastapi(make_client, check):
    """In a dependency, and in the format of its own errors."""

    async def database(request: Request):
        await request.ctx.aborrow(POOL)
        yield

    app = FastAPI()

    @app.get("/")
    async def route(db: Annotated[None, Depends(database)]):
        raise NotImplementedError

    starlette_poolware.init_app(app, context=AppContext)
    response = make_client(app).get("/")
    check(response.status_code, response.headers, response.text, wait="7")
    assert response.json() == {"detail": "Service Unavailable"}


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_starlettes_own_pages_are_used(make_client, kind):
    async def page(request, error):
        return PlainTextResponse(f"page {error.status_code}", error.status_code, error.headers)

    def sync_page(request, error):
        return PlainTextResponse(f"page {error.status_code}", error.status_code, error.headers)

    app = Starlette(routes=[Route("/", waits)], exception_handlers={503: page if kind == "async" else sync_page})
    starlette_poolware.init_app(app, context=AppContext)
    response = make_client(app).get("/")
    assert (response.text, response.status_code, response.headers["retry-after"]) == ("page 503", 503, "7")


def test_starlettes_own_handlers_go_first(make_client):
    """Also one that was added after poolware."""

    async def handler(request, error):
        return PlainTextResponse("mine", 418)

    app = Starlette(routes=[Route("/", waits)])
    starlette_poolware.init_app(app, context=AppContext)
    app.add_exception_handler(TooManyWaiting, handler)
    assert make_client(app).get("/").status_code == 418


def test_a_websocket_cannot_be_answered(make_client):
    """The server closes it."""
    app = Starlette(routes=[WebSocketRoute("/", waits)])
    starlette_poolware.init_app(app, context=AppContext)
    with pytest.raises(TooManyWaiting), make_client(app).websocket_connect("/"):
        pass


def flask_app():
    app = Flask("shop")
    app.testing = True
    app.get("/")(lambda: flask_request.ctx.borrow(POOL))
    return app


def test_flask(check):
    app = flask_app()
    Poolware(app, context=AppContext)
    response = app.test_client().get("/")
    check(response.status_code, response.headers, response.text, wait="1")


def test_flasks_own_pages_are_used():
    app = flask_app()
    Poolware(app, context=AppContext)
    app.register_error_handler(503, lambda error: (f"page {error.code}", 503))
    app.register_error_handler(Exception, lambda error: ("anything", 500))
    assert app.test_client().get("/").text == "page 503"


def test_flasks_own_handlers_go_first():
    app = flask_app()
    app.register_error_handler(PoolTimeout, lambda error: ("mine", 418))
    Poolware(app, context=AppContext)
    assert app.test_client().get("/").status_code == 418


urlpatterns = [path("", blocks), path("async", waits)]
project = override_settings(
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django_poolware.middleware.PoolwareMiddleware"],
    POOLWARE={"CONTEXT": AppContext},
)


def test_django_under_wsgi(check):
    with project:
        response = Client().get("/")
    check(response.status_code, response.headers, response.text, wait="1")


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_django_under_asgi(check):
    with project:
        response = await AsyncClient().get("/")
    check(response.status_code, response.headers, response.text, wait="1")


@pytest.mark.anyio
@pytest.mark.parametrize("started", [False, True])
async def test_plain_asgi(check, started, caplog):
    """Only as long as no response has begun."""
    sent = []

    async def app(scope, receive, send):
        if started:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await AppContext.of(scope).aborrow(POOL)

    async def send(message):
        if sent and message["type"] == "http.response.start":
            msg = "the response has begun"
            raise RuntimeError(msg)
        sent.append(message)

    middleware = ASGIMiddleware(app, context=AppContext)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    if started:
        with pytest.raises(TooManyWaiting):
            await middleware(scope, None, send)
        return
    await middleware(scope, None, send)
    start, body = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    check(start["status"], headers, body["body"].decode(), wait="7")


def test_plain_wsgi(check):
    def app(environ, start_response):
        AppContext.of(environ).borrow(POOL)

    told = []
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/"}
    middleware = WSGIMiddleware(app, context=AppContext)
    body = b"".join(middleware(environ, lambda *args: told.extend(args)))
    headers = {name.lower(): value for name, value in told[1]}
    assert told[0] == "503 Service Unavailable"
    check(int(told[0][:3]), headers, body.decode(), wait="1")
