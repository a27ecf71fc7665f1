"""request.ctx on Starlette: requests, websockets, mounted applications and other middlewares."""

import logging

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from poolware import ContextMissing, ContextReleased, RequestContext, WrongContext
from poolware.web.accessor import ContextAttribute
from starlette_poolware import PoolwareMiddleware, init_app


class AppContext(RequestContext):
    tenant: str = ""


class OtherContext(RequestContext):
    pass


def make_app(*routes, **options):
    app = Starlette(routes=list(routes), **options)
    init_app(app, context=AppContext)
    return app


async def show(request):
    return PlainTextResponse(request.ctx.tenant or "nobody")


async def write(request):
    before, request.ctx.tenant = request.ctx.tenant, "acme"
    return PlainTextResponse(before or "nobody")


def sync_view(request):
    request.ctx.tenant = "acme"
    return PlainTextResponse(AppContext.of(request).tenant)


def test_a_sync_view_in_its_thread(make_client):
    assert make_client(make_app(Route("/", sync_view))).get("/").text == "acme"


def test_the_typed_accessor_takes_request_scope_and_connection(make_client):
    async def view(request):
        same = {id(AppContext.of(each)) for each in (request, request.scope, HTTPConnection(request.scope))}
        assert same == {id(request.ctx)}
        return PlainTextResponse("same")

    assert make_client(make_app(Route("/", view))).get("/").text == "same"


def test_the_typed_accessor_names_both_classes_when_it_is_the_wrong_one(make_client):
    async def view(request):
        OtherContext.of(request)

    client = make_client(make_app(Route("/orders", view)))
    with pytest.raises(WrongContext, match=r"GET /orders carries AppContext, not OtherContext"):
        client.get("/orders")


def test_nothing_passes_from_one_request_to_the_next(make_client):
    """H10: on the same keep-alive connection."""
    with make_client(make_app(Route("/", write))) as client:
        assert [client.get("/").text for _ in range(3)] == ["nobody"] * 3


def test_a_request_that_is_kept_has_no_context_after_the_end(make_client):
    """H06: the request object outlives the response; so does the context that somebody took from it."""
    kept = []

    async def view(request):
        kept.extend([request, request.ctx])
        return PlainTextResponse("spam")

    app = make_app(Route("/", view))
    make_client(app).get("/")
    with pytest.raises(ContextMissing, match=r"the response has ended"):
        _ = kept[0].ctx
    with pytest.raises(ContextReleased, match=r"GET /"):
        _ = kept[1].tenant


def test_an_attribute_ctx_of_somebody_elses_stays_and_is_reported(monkeypatch, caplog, make_client):
    monkeypatch.setattr(HTTPConnection, "ctx", property(lambda _self: "somebody else's"), raising=False)

    async def view(request):
        AppContext.of(request).tenant = "acme"
        return PlainTextResponse(f"{request.ctx}, {AppContext.of(request).tenant}")

    with caplog.at_level(logging.WARNING, "poolware"):
        assert make_client(make_app(Route("/", view))).get("/").text == "somebody else's, acme"
    assert "HTTPConnection has an attribute ctx of its own, which stays" in caplog.text


def test_requests_and_websockets_share_one_attribute(make_client):
    make_client(make_app(Route("/", show))).get("/")
    assert isinstance(vars(HTTPConnection)["ctx"], ContextAttribute)
    assert "ctx" not in vars(Request)


# --- websockets -------------------------------------------------------------------------------------------------------


async def echo_with_memory(websocket):
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(f"{websocket.ctx.tenant}>{text}")
        websocket.ctx.tenant = text
        websocket.ctx.buffer(100)


def test_a_websocket_keeps_its_context_for_the_whole_connection(make_client):
    """H22: closed by the client; the next connection starts afresh."""
    app = make_app(WebSocketRoute("/live", echo_with_memory))
    client = make_client(app)
    for _ in range(2):
        with client.websocket_connect("/live") as websocket:
            answers = []
            for text in ("a", "b", "c"):
                websocket.send_text(text)
                answers.append(websocket.receive_text())
        assert answers == [">a", "a>b", "b>c"]
    assert app.state.poolware.pool.get_stats().released == 2


@pytest.mark.parametrize("accept_first", [True, False])
def test_a_websocket_closed_by_the_application(make_client, accept_first):
    """H22: denied before accept, or closed after."""

    async def deny(websocket):
        if accept_first:
            await websocket.accept()
        await websocket.close(1008, reason=websocket.ctx.tenant or "nobody")

    app = make_app(WebSocketRoute("/live", deny))

    def connect_and_receive():
        with make_client(app).websocket_connect("/live") as websocket:
            websocket.receive_text()

    with pytest.raises(WebSocketDisconnect) as raised:
        connect_and_receive()
    assert (raised.value.code, raised.value.reason) == (1008, "nobody")
    assert app.state.poolware.pool.get_stats().released == 1


def test_an_exception_in_a_websocket_ends_its_context(make_client):
    """H16, H22."""

    async def broken(websocket):
        await websocket.accept()
        raise LookupError(websocket.ctx.tenant)

    app = make_app(WebSocketRoute("/live", broken))

    def connect():
        with make_client(app).websocket_connect("/live") as websocket:
            websocket.receive_text()

    with pytest.raises(LookupError):
        connect()
    assert app.state.poolware.pool.get_stats().in_use == 0


# --- mounted applications and other middlewares -----------------------------------------------------------------------


@pytest.mark.parametrize("own_middleware", [False, True])
@pytest.mark.parametrize("place", [lambda app: Mount("/sub", app), lambda app: Host("testserver", app)])
def test_a_sub_application_shares_the_context(make_client, own_middleware, place):
    """H23: with or without a middleware of its own."""
    inner = Starlette(routes=[Route("/", show), Route("/sub/", show)])
    if own_middleware:
        init_app(inner, context=OtherContext)

    async def dispatch(request, call_next):
        request.ctx.tenant = "acme"
        return await call_next(request)

    app = make_app(place(inner), middleware=[Middleware(BaseHTTPMiddleware, dispatch=dispatch)])
    assert make_client(app).get("/sub/").text == "acme"
    assert app.state.poolware.pool.get_stats().released == 1
    if own_middleware:
        assert inner.state.poolware.pool.get_stats().acquired == 0


@pytest.mark.parametrize("fails", [False, True])
def test_a_base_http_middleware_outside_and_one_inside(make_client, fails):
    """Its call_next runs the application in a task of its own."""
    seen = []

    async def outside(request, call_next):
        seen.append(hasattr(request, "ctx"))
        response = await call_next(request)
        seen.append(hasattr(request, "ctx") and "still there while the body is to come")
        return response

    async def inside(request, call_next):
        request.ctx.tenant = "acme"
        response = await call_next(request)
        response.headers["x-tenant"] = request.ctx.tenant
        return response

    async def view(request):
        if fails:
            raise LookupError(request.ctx.tenant)
        return PlainTextResponse(request.ctx.tenant)

    app = Starlette(routes=[Route("/", view)])
    app.add_middleware(BaseHTTPMiddleware, dispatch=inside)
    app.add_middleware(PoolwareMiddleware, context=AppContext)
    app.add_middleware(BaseHTTPMiddleware, dispatch=outside)
    client = make_client(app)
    if fails:
        with pytest.raises(LookupError, match="acme"):
            client.get("/")
        assert seen == [False]
    else:
        response = client.get("/")
        assert (response.text, response.headers["x-tenant"]) == ("acme", "acme")
        assert seen == [False, "still there while the body is to come"]


def test_with_gzip_and_sessions(make_client):
    async def view(request):
        request.session["seen"] = True
        request.ctx.tenant = "acme" * 1000
        return PlainTextResponse(request.ctx.tenant)

    app = make_app(Route("/", view))
    app.add_middleware(GZipMiddleware)
    app.add_middleware(SessionMiddleware, secret_key="for tests only")
    response = make_client(app).get("/")
    assert response.headers["content-encoding"] == "gzip"
    assert response.text == "acme" * 1000
