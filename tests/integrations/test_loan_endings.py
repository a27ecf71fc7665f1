"""However a request ends on a framework, its connections go back: clean after a success, looked at after a failure."""

import asyncio
import gc
from typing import Annotated

import anyio
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, override_settings
from django.urls import path
from fastapi import BackgroundTasks, Depends, FastAPI, Request
from flask import Flask
from flask import request as flask_request
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

import starlette_poolware
from django_poolware import lifecycle as django_lifecycle
from flask_poolware import Poolware
from poolware import LoopMissing, RequestContext


class AppContext(RequestContext):
    tenant: str = ""


class Connection:
    in_transaction = False
    closed = False

    def close(self):
        self.closed = True


class Database:
    """psycopg2's shape: a connection that is held, or whose request failed, comes back closed."""

    def __init__(self):
        self.lent, self.back = 0, []

    def getconn(self):
        self.lent += 1
        return Connection()

    def putconn(self, connection):
        self.lent -= 1
        self.back.append("closed" if connection.closed else "clean")


class AsyncDatabase(Database):
    async def getconn(self):
        return super().getconn()

    async def putconn(self, connection):
        await anyio.lowlevel.checkpoint()
        super().putconn(connection)


@pytest.fixture
def database():
    return Database()


@pytest.fixture
def async_database():
    return AsyncDatabase()


# --- Starlette and FastAPI --------------------------------------------------------------------------------------------


def starlette(*routes):
    app = Starlette(routes=list(routes))
    starlette_poolware.init_app(app, context=AppContext)
    return app


@pytest.mark.parametrize("borrows", ["async", "sync"])
@pytest.mark.parametrize("raises", [False, True])
def test_starlette(make_client, async_database, database, borrows, raises):
    async def waits(request):
        connection = await request.ctx.aborrow(async_database)
        return respond(connection)

    def blocks(request):
        connection = request.ctx.borrow(database)
        return respond(connection)

    def respond(connection):
        assert not connection.closed
        if raises:
            raise LookupError
        return PlainTextResponse()

    app = starlette(Route("/", waits if borrows == "async" else blocks))
    response = make_client(app, raise_server_exceptions=False).get("/")
    pool = async_database if borrows == "async" else database
    assert (response.status_code, pool.lent) == (500 if raises else 200, 0)
    assert pool.back == ["closed" if raises else "clean"]
    assert app.state.poolware.discarded == raises
    gc.collect()


def test_starlette_streams_and_background_tasks_keep_it(make_client, async_database):
    """H19."""
    seen = []

    async def view(request):
        await request.ctx.aborrow(async_database)

        async def chunks():
            seen.append(async_database.lent)
            yield b"spam"
            seen.append(async_database.lent)

        async def background():
            seen.append(async_database.lent)

        return StreamingResponse(chunks(), background=BackgroundTask(background))

    assert make_client(starlette(Route("/", view))).get("/").text == "spam"
    assert seen == [1, 1, 1]
    assert async_database.back == ["clean"]


def test_starlette_websocket(make_client, async_database):
    """H22."""

    async def view(websocket):
        await websocket.ctx.aborrow(async_database)
        await websocket.accept()
        await websocket.send_text(str(async_database.lent))
        await websocket.close()

    with make_client(starlette(WebSocketRoute("/", view))).websocket_connect("/") as websocket:
        assert websocket.receive_text() == "1"
    assert async_database.back == ["clean"]


class Endless:
    """No generator: trio warns of one that is abandoned."""

    def __aiter__(self):
        return self

    async def __anext__(self):
        await anyio.lowlevel.checkpoint()
        return b"spam"


@pytest.mark.anyio
async def test_starlette_the_client_leaves_mid_stream(async_database):
    """H17."""

    async def view(request):
        await request.ctx.aborrow(async_database)
        return StreamingResponse(Endless())

    async def receive():
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        left.set()
        await anyio.lowlevel.checkpoint()

    left = anyio.Event()
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    await starlette(Route("/", view))(scope, receive, send)
    assert async_database.lent == 0
    assert len(async_database.back) == 1


def test_fastapi_dependency(make_client, async_database):
    """What a dependency yields is no foreign holder once the response has ended."""

    async def connect(request: Request):
        yield await request.ctx.aborrow(async_database)

    app, seen = FastAPI(), []

    @app.get("/")
    async def route(db: Annotated[Connection, Depends(connect)], tasks: BackgroundTasks):
        tasks.add_task(lambda: seen.append(async_database.lent))
        return db.closed

    lifecycle = starlette_poolware.init_app(app, context=AppContext)
    assert make_client(app).get("/").json() is False
    assert seen == [1]
    assert async_database.back == ["clean"]
    assert lifecycle.discarded == 0


# --- Flask ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def flask():
    app = Flask("shop")
    Poolware(app, context=AppContext)
    return app


@pytest.mark.parametrize("raises", [False, True])
def test_flask(flask, database, raises):
    """Flask answers 500 by itself: poolware learns of the failure all the same."""

    @flask.get("/")
    def view():
        connection = flask_request.ctx.borrow(database)
        assert not connection.closed
        if raises:
            raise LookupError
        return ""

    flask.test_client().get("/").close()
    assert (database.lent, database.back) == (0, ["closed" if raises else "clean"])
    gc.collect()


def test_flask_stream(flask, database):
    """H19."""

    @flask.get("/")
    def view():
        flask_request.ctx.borrow(database)
        return (str(database.lent) for _ in range(2))

    assert flask.test_client().get("/").text == "11"
    assert database.back == ["clean"]


def test_flask_async_view(flask, async_database):
    """Its event loop ends with the view, before the response does."""

    @flask.get("/")
    async def view():
        with pytest.raises(LoopMissing, match="under WSGI"):
            await flask_request.ctx.aborrow(async_database)
        return "refused"

    assert flask.test_client().get("/").text == "refused"
    assert async_database.lent == 0


# --- Django -----------------------------------------------------------------------------------------------------------


def dispatch(request):
    return request.environ["test.view"](request)


async def dispatch_async(request):
    return await request.scope["test.view"](request)


urlpatterns = [path("", dispatch), path("async", dispatch_async)]


@pytest.fixture
def _project():
    with override_settings(
        ROOT_URLCONF=__name__,
        MIDDLEWARE=["django_poolware.middleware.PoolwareMiddleware"],
        POOLWARE={"CONTEXT": AppContext},
    ):
        yield


@pytest.mark.usefixtures("_project")
@pytest.mark.parametrize("raises", [False, True])
def test_django_under_wsgi(database, raises):
    def view(request):
        connection = request.ctx.borrow(database)
        assert not connection.closed
        if raises:
            raise LookupError
        return HttpResponse()

    client = Client(raise_request_exception=False)
    client.get("/", **{"test.view": view})
    assert (database.lent, database.back) == (0, ["closed" if raises else "clean"])
    gc.collect()


async def served(view, left=None):
    """Serve as an ASGI server does; the client leaves when `left` is set."""
    sent, received = [], []

    async def receive():
        received.append(1)
        if len(received) == 1:
            return {"type": "http.request"}
        await (left or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/async", "headers": [], "query_string": b"", "test.view": view}
    await ASGIHandler()(scope, receive, send)
    return sent


async def settled(database):
    async with asyncio.timeout(5):
        while database.lent:  # noqa: ASYNC110 - given back by a task that nobody waits for
            await asyncio.sleep(0)


@pytest.mark.anyio
@pytest.mark.usefixtures("_project")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("ending", ["normal", "exception", "stream"])
async def test_django_under_asgi(async_database, ending):
    """The response is closed in a thread; the loan goes back on its own loop."""

    async def view(request):
        connection = await request.ctx.aborrow(async_database)
        assert not connection.closed
        if ending == "exception":
            raise LookupError
        return StreamingHttpResponse(chunks()) if ending == "stream" else HttpResponse()

    async def chunks():
        yield str(async_database.lent).encode()

    sent = await served(view)
    await settled(async_database)
    if ending == "stream":
        assert b"1" in {message.get("body") for message in sent}
    assert async_database.back == ["closed" if ending == "exception" else "clean"]
    gc.collect()


@pytest.mark.anyio
@pytest.mark.usefixtures("_project")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_django_the_client_leaves(async_database):
    """H17: before there is a response."""

    async def view(request):
        await request.ctx.aborrow(async_database)
        left.set()
        await asyncio.sleep(60)

    left = asyncio.Event()
    await served(view, left)
    await settled(async_database)
    assert async_database.back == ["closed"]
    assert django_lifecycle().discarded == 1
