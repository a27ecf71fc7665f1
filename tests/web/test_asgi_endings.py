"""The ASGI middleware: however a connection ends, its context goes back."""

import gc

import anyio
import pytest

from poolware import BodyError, BodyTooLarge, BodyTruncated, ContextReleased, RequestContext, field
from poolware.web.asgi import PoolwareMiddleware
from poolware.web.body import read_body_async

KEY = "poolware.ctx"
START = {"type": "http.response.start", "status": 200, "headers": []}
pytestmark = pytest.mark.anyio


class AppContext(RequestContext):
    tenant: str = ""


def new_scope(kind="http", **keys):
    return {"type": kind, "method": "POST", "path": "/upload", "headers": [], **keys}


class Cancelled:
    """Runs a middleware until the application says that it is there, and cancels it then."""

    def __init__(self, middleware, scope):
        self.middleware, self.scope = middleware, scope
        self.reached = anyio.Event()
        self.answered = False

    async def run(self, receive, send):
        async with anyio.create_task_group() as group:
            group.start_soon(self._serve, receive, send)
            with anyio.fail_after(5):
                await self.reached.wait()
            group.cancel_scope.cancel()

    async def _serve(self, receive, send):
        await self.middleware(self.scope, receive, send)
        self.answered = True  # only if the cancellation was swallowed


async def test_an_exception_passes_and_the_held_context_comes_back_with_the_traceback_gone(serve):
    """H16: one holder, the traceback; H06: quarantine until it is gone."""
    scope = new_scope()

    async def app(scope, receive, send):
        ctx = AppContext.of(scope)
        ctx.tenant = "acme"
        raise LookupError(ctx.tenant)

    middleware = PoolwareMiddleware(app, context=AppContext)
    with pytest.raises(LookupError, match="acme") as raised:
        await serve(middleware, scope=scope)
    assert KEY not in scope
    assert middleware.lifecycle.pool.get_stats().quarantined == 1
    held = raised.traceback[-1].frame.f_locals["ctx"]
    with pytest.raises(ContextReleased, match="POST /upload"):
        _ = held.tenant

    del held, raised
    gc.collect()
    stats = middleware.lifecycle.pool.get_stats()
    assert (stats.quarantined, stats.idle) == (0, 1)


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_cancellation_while_the_application_runs(kind):
    """H17, H18: the context is there for the application's own clean-up, then goes back; nothing is swallowed."""
    found = []

    async def app(scope, receive, send):
        AppContext.of(scope).buffer(100)
        AppContext.of(scope).tenant = "acme"
        try:
            cancelled.reached.set()
            await anyio.sleep_forever()
        finally:
            found.append(AppContext.of(scope).tenant)

    middleware = PoolwareMiddleware(app, context=AppContext)
    cancelled = Cancelled(middleware, new_scope(kind))
    await cancelled.run(None, None)
    assert found == ["acme"]
    assert not cancelled.answered
    assert KEY not in cancelled.scope
    assert middleware.lifecycle.pool.get_stats().in_use == 0
    assert middleware.lifecycle.buffers.get_stats().in_use == 0


async def test_cancellation_while_a_chunk_is_being_sent():
    """H17: the client is slow, the server gives up mid-stream."""

    async def app(scope, receive, send):
        await send(START)
        body = AppContext.of(scope).buffer(4)
        body.write(b"spam")
        while True:
            await send({"type": "http.response.body", "body": body.getvalue(), "more_body": True})

    async def send(message):
        if message["type"] == "http.response.body":
            cancelled.reached.set()
            await anyio.sleep_forever()

    cancelled = Cancelled(PoolwareMiddleware(app, context=AppContext), new_scope())
    await cancelled.run(None, send)
    assert not cancelled.answered
    assert KEY not in cancelled.scope


async def test_cancellation_while_a_refusal_is_being_sent():
    """H17: the server gives up while 413 is on its way."""

    async def app(scope, receive, send):
        raise BodyTooLarge

    async def send(message):
        cancelled.reached.set()
        await anyio.sleep_forever()

    cancelled = Cancelled(PoolwareMiddleware(app, context=AppContext), new_scope())
    await cancelled.run(None, send)
    assert not cancelled.answered
    assert KEY not in cancelled.scope


async def test_a_child_task_that_outlives_the_request_finds_its_context_sealed():
    """H06, H17: the application's task is cancelled while a task it started elsewhere goes on."""
    outcome = []

    async def child(ctx, ended):
        await ended.wait()
        with pytest.raises(ContextReleased):
            _ = ctx.tenant
        outcome.append("sealed")

    async with anyio.create_task_group() as elsewhere:
        ended = anyio.Event()

        async def app(scope, receive, send):
            elsewhere.start_soon(child, AppContext.of(scope), ended)

        middleware = PoolwareMiddleware(app, context=AppContext)
        await middleware(new_scope(), None, None)
        ended.set()
    assert outcome == ["sealed"]


@pytest.mark.parametrize(("error", "status"), [(BodyTooLarge, 413), (BodyTruncated, 400)])
async def test_a_refused_body_is_answered_with_its_status(serve, error, status):
    """H41: the text says why."""

    async def app(scope, receive, send):
        AppContext.of(scope)
        msg = "at most 100 bytes"
        raise error(msg)

    start, body = await serve(PoolwareMiddleware(app, context=AppContext))
    assert (start["type"], start["status"]) == ("http.response.start", status)
    assert dict(start["headers"]) == {
        b"content-type": b"text/plain; charset=utf-8",
        b"content-length": b"18",
    }
    assert body == {"type": "http.response.body", "body": b"at most 100 bytes\n"}


async def test_a_body_over_the_limit_is_answered_with_413_and_the_buffer_goes_back(serve):
    """H41: end to end."""

    async def app(scope, receive, send):
        await read_body_async(scope, receive, limit=10)

    middleware = PoolwareMiddleware(app, context=AppContext)
    start, _ = await serve(
        middleware,
        {"type": "http.request", "body": b"12345678", "more_body": True},
        {"type": "http.request", "body": b"12345678", "more_body": True},
    )
    assert start["status"] == 413
    assert middleware.lifecycle.buffers.get_stats().released == 1


async def test_a_refusal_after_the_response_began_is_the_servers(serve):
    """H41: nothing can be answered any more, so the error passes."""

    async def app(scope, receive, send):
        await send(START)
        raise BodyTruncated

    with pytest.raises(BodyTruncated):
        await serve(PoolwareMiddleware(app, context=AppContext))


async def test_a_refusal_in_a_websocket_is_the_servers(serve):
    async def app(scope, receive, send):
        raise BodyTooLarge

    with pytest.raises(BodyTooLarge):
        await serve(PoolwareMiddleware(app, context=AppContext), scope=new_scope("websocket"))


async def test_a_refusal_to_a_client_that_left_is_the_servers():
    """H17: sending fails; the error passes, and the context goes back."""
    scope = new_scope()

    async def app(scope, receive, send):
        raise BodyError

    async def send(message):
        msg = "broken pipe"
        raise OSError(msg)

    with pytest.raises(BodyError):
        await PoolwareMiddleware(app, context=AppContext)(scope, None, send)
    assert KEY not in scope


async def test_a_failing_factory_fails_its_own_request_only(serve):
    """H29: no slot is lost, and the next request is served."""
    outcomes = [OSError("no device"), "first", OSError("no device"), "second"]

    def make():
        outcome = outcomes.pop(0)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    class DeviceContext(RequestContext):
        device: str = field(factory=make)

    async def app(scope, receive, send):
        seen.append(DeviceContext.of(scope).device)

    seen: list[str] = []
    middleware = PoolwareMiddleware(app, context=DeviceContext, max_idle=1)
    for _ in range(2):
        with pytest.raises(OSError, match="no device"):
            await serve(middleware)
        await serve(middleware)
    assert seen == ["first", "second"]
    assert middleware.lifecycle.pool.get_stats().idle == 1
