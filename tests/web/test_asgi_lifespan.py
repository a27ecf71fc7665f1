"""The ASGI middleware and the server's start and end."""

import anyio
import pytest

from poolware import RequestContext
from poolware.web.asgi import PoolwareMiddleware

pytestmark = pytest.mark.anyio


class AppContext(RequestContext):
    pass


class LifespanApp:
    """Notes how many contexts rest while it is up; serves requests in between."""

    def __init__(self):
        self.idle_at_startup = []
        self.events = []

    async def __call__(self, scope, receive, send):
        if scope["type"] != "lifespan":
            return
        self.events.append((await receive())["type"])
        self.idle_at_startup.append(self.middleware.lifecycle.pool.get_stats().idle)
        await send({"type": "lifespan.startup.complete"})
        self.events.append((await receive())["type"])
        await send({"type": "lifespan.shutdown.complete"})


EVENTS = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]


def wrap(app, **options):
    app.middleware = PoolwareMiddleware(app, context=AppContext, **options)
    return app.middleware


async def test_lifespan_builds_what_prewarm_asks_for_and_lets_go_of_it_at_the_end(serve):
    """H24: the events themselves pass through; the second start finds a full pool again."""
    app = LifespanApp()
    middleware = wrap(app, prewarm=3)
    for _ in range(2):
        sent = await serve(middleware, *EVENTS, scope={"type": "lifespan"})
        assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        assert middleware.lifecycle.pool.get_stats().idle == 0
    assert app.idle_at_startup == [3, 3]
    assert app.events == ["lifespan.startup", "lifespan.shutdown"] * 2


async def test_the_end_of_the_lifespan_lets_go_of_buffers_too(serve):
    middleware = wrap(LifespanApp())
    middleware.lifecycle.buffers.acquire(100).release()
    await serve(middleware, *EVENTS, scope={"type": "lifespan"})
    assert middleware.lifecycle.buffers.get_stats().idle_bytes == 0


async def test_an_application_without_lifespan_says_so_and_stays_warm(serve):
    """H24: servers take the exception for "not supported" and go on."""

    async def app(scope, receive, send):
        assert scope["type"] == "http", "no lifespan here"

    middleware = PoolwareMiddleware(app, context=AppContext, prewarm=2)
    with pytest.raises(AssertionError, match="no lifespan here"):
        await serve(middleware, *EVENTS, scope={"type": "lifespan"})
    await serve(middleware)
    assert middleware.lifecycle.pool.get_stats().idle == 2


async def test_a_request_in_flight_at_the_end_of_the_lifespan_ends_as_usual(serve):
    """H25: graceful stop."""
    entered, leave = anyio.Event(), anyio.Event()

    class Serving(LifespanApp):
        async def __call__(self, scope, receive, send):
            if scope["type"] == "http":
                ctx = AppContext.of(scope)
                entered.set()
                await leave.wait()
                ctx.buffer(100).write(b"still works")
            await super().__call__(scope, receive, send)

    middleware = wrap(Serving())
    async with anyio.create_task_group() as group:
        group.start_soon(serve, middleware)
        await entered.wait()
        await serve(middleware, *EVENTS, scope={"type": "lifespan"})
        leave.set()
    assert middleware.lifecycle.pool.get_stats().released == 1


async def test_the_lifespan_scope_gets_no_context(serve):
    """H24: its state is the application's."""
    scope = {"type": "lifespan", "state": {}}
    await serve(wrap(LifespanApp()), *EVENTS, scope=scope)
    assert scope == {"type": "lifespan", "state": {}}
