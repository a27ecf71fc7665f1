"""The ASGI middleware: which connections get a context, and for how long."""

import copy
import gc

import anyio
import pytest

from poolware import ContextMissing, ContextReleased, RequestContext, WrongContext
from poolware.web.asgi import PoolwareMiddleware

KEY = "poolware.ctx"
START = {"type": "http.response.start", "status": 200, "headers": []}
pytestmark = pytest.mark.anyio


class AppContext(RequestContext):
    tenant: str = ""


class OtherContext(RequestContext):
    pass


async def respond(scope, receive, send):
    await send(START)
    await send({"type": "http.response.body", "body": AppContext.of(scope).tenant.encode()})


async def test_an_http_request_has_a_context_until_the_application_returns(serve):
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}

    async def app(scope, receive, send):
        AppContext.of(scope).tenant = "acme"
        await respond(scope, receive, send)
        assert AppContext.of(scope).tenant == "acme"  # a background task's place

    sent = await serve(PoolwareMiddleware(app, context=AppContext), scope=scope)
    assert sent == [START, {"type": "http.response.body", "body": b"acme"}]
    assert KEY not in scope
    with pytest.raises(ContextMissing):
        AppContext.of(scope)


async def test_the_application_gets_the_servers_own_scope_receive_and_send():
    given = ({"type": "http", "path": "/", "method": "GET", "headers": []}, object(), object())

    async def app(*got):
        assert all(mine is theirs for mine, theirs in zip(got, given, strict=True))

    await PoolwareMiddleware(app, context=AppContext)(*given)


async def test_the_next_request_gets_the_same_context_pristine(serve):
    seen = []

    async def app(scope, receive, send):
        ctx = AppContext.of(scope)
        seen.append((id(ctx), ctx.tenant))
        ctx.tenant = "acme"

    middleware = PoolwareMiddleware(app, context=AppContext)
    await serve(middleware)
    await serve(middleware)
    assert [tenant for _, tenant in seen] == ["", ""]
    assert seen[0][0] == seen[1][0]


async def test_concurrent_requests_have_contexts_of_their_own(serve):
    barrier = anyio.Event()
    seen = {}

    async def app(scope, receive, send):
        ctx = AppContext.of(scope)
        ctx.tenant = scope["path"]
        if len(seen) == 2:
            barrier.set()
        seen[scope["path"]] = id(ctx)
        await barrier.wait()
        assert ctx.tenant == scope["path"]

    middleware = PoolwareMiddleware(app, context=AppContext)
    async with anyio.create_task_group() as group:
        for path in ("/a", "/b", "/c"):
            scope = {"type": "http", "method": "GET", "path": path, "headers": []}
            group.start_soon(lambda scope=scope: serve(middleware, scope=scope))
    assert len(set(seen.values())) == 3


async def test_a_websocket_has_one_context_for_the_whole_connection(serve):
    """H22: closed by the client."""
    seen = []

    async def app(scope, receive, send):
        while (message := await receive())["type"] != "websocket.disconnect":
            seen.append((message["type"], id(AppContext.of(scope)), AppContext.of(scope).tenant))
            AppContext.of(scope).tenant = "acme"

    events = [{"type": f"websocket.{name}"} for name in ("connect", "receive", "receive", "disconnect")]
    scope = {"type": "websocket", "path": "/live", "headers": []}
    await serve(PoolwareMiddleware(app, context=AppContext), *events, scope=scope)

    assert [(kind, tenant) for kind, _, tenant in seen] == [
        ("websocket.connect", ""),
        ("websocket.receive", "acme"),
        ("websocket.receive", "acme"),
    ]
    assert len({number for _, number, _ in seen}) == 1
    assert KEY not in scope


async def test_a_websocket_denied_before_accept_ends_its_context(serve):
    """H22: closed by the application."""

    async def app(scope, receive, send):
        AppContext.of(scope).buffer(100)
        await send({"type": "websocket.close", "code": 1008})

    scope = {"type": "websocket", "path": "/live", "headers": []}
    middleware = PoolwareMiddleware(app, context=AppContext)
    await serve(middleware, scope=scope)
    assert KEY not in scope
    assert middleware.lifecycle.buffers.get_stats().released == 1


@pytest.mark.parametrize("kind", ["lifespan", "webtransport", "http.something"])
async def test_other_scopes_pass_through_untouched(kind):
    """H24: the application gets the very same three objects, and no context."""
    given = ({"type": kind, "state": {}}, object(), object())

    async def app(*got):
        assert all(mine is theirs for mine, theirs in zip(got, given, strict=True))
        assert got[0] == {"type": kind, "state": {}}

    middleware = PoolwareMiddleware(app, context=AppContext)
    await middleware(*given)
    assert middleware.lifecycle.pool.get_stats().acquired == 0


async def test_a_nested_middleware_leaves_the_request_to_the_outer_one(serve):
    """H23: one owner; the inner end is not the request's end."""
    inner = PoolwareMiddleware(respond, context=OtherContext)
    found = []

    async def app(scope, receive, send):
        ctx = AppContext.of(scope)
        ctx.tenant = "acme"
        await inner(scope, receive, send)
        found.append(AppContext.of(scope) is ctx)

    outer = PoolwareMiddleware(app, context=AppContext)
    sent = await serve(outer)
    assert sent[1]["body"] == b"acme"
    assert found == [True]
    assert inner.lifecycle.pool.get_stats().acquired == 0
    assert outer.lifecycle.pool.get_stats().released == 1


async def test_a_mounted_application_with_a_copied_scope_shares_the_context(serve):
    """H23: routers hand a copy of the scope to what they mount."""

    async def app(scope, receive, send):
        AppContext.of(scope).tenant = "acme"
        await PoolwareMiddleware(respond, context=AppContext)(dict(scope, path="/sub"), receive, send)

    sent = await serve(PoolwareMiddleware(app, context=AppContext))
    assert sent[1]["body"] == b"acme"


async def test_another_context_class_is_named(serve):
    async def app(scope, receive, send):
        with pytest.raises(WrongContext, match=r"GET /orders carries AppContext, not OtherContext"):
            OtherContext.of(scope)

    await serve(PoolwareMiddleware(app, context=AppContext), path="/orders")


@pytest.mark.parametrize("make_copy", [dict, copy.copy])
async def test_a_copy_of_the_scope_that_the_application_keeps_holds_a_sealed_context(serve, make_copy):
    """H06: the copy still has the context; the next request has another one, until the copy is gone."""
    kept, numbers = [], []

    async def app(scope, receive, send):
        numbers.append(id(scope[KEY]))
        if not kept:
            kept.append(make_copy(scope))

    middleware = PoolwareMiddleware(app, context=AppContext)
    await serve(middleware)
    with pytest.raises(ContextReleased, match="GET /"):
        _ = AppContext.of(kept[0]).tenant
    await serve(middleware)
    assert numbers[0] != numbers[1]
    assert middleware.lifecycle.pool.get_stats().quarantined == 1
    kept[:] = [None]
    gc.collect()
    assert middleware.lifecycle.pool.get_stats().quarantined == 0


async def test_a_deep_copy_of_the_scope_is_refused_at_the_context(serve):
    """H02: a copy of a context would escape the reset."""

    async def app(scope, receive, send):
        with pytest.raises(TypeError, match=r"neither copied nor pickled.*ctx\.detach\(\)"):
            copy.deepcopy(scope)

    await serve(PoolwareMiddleware(app, context=AppContext))
