"""Quart: its proxies, and tasks that outlive the response."""

import asyncio

import pytest
from quart import Quart, request, stream_with_context, websocket

from poolware import ContextReleased, Lifecycle, PoolTimeout, RequestContext, RequestRefused
from poolware.web.asgi import PoolwareMiddleware


class AppContext(RequestContext):
    tenant: str = ""


@pytest.fixture
def app():
    app = Quart(__name__)
    app.lifecycle = Lifecycle(AppContext)
    app.asgi_app = PoolwareMiddleware(app.asgi_app, app.lifecycle)
    return app


async def get(app, path="/"):
    async with app.test_app() as served:
        response = await served.test_client().get(path)
        return response.status_code, await response.get_data(as_text=True)


def test_hooks_and_a_stream_have_the_context_of_the_handler(app):
    """H19."""
    seen = []

    @app.before_request
    async def before():
        AppContext.of(request).tenant = "acme"

    @app.after_request
    async def after(response):
        seen.append(AppContext.of(request).tenant)
        return response

    @app.get("/")
    async def handler():
        @stream_with_context
        async def rows():
            for number in range(2):
                yield f"{AppContext.of(request).tenant}{number} "

        return rows()

    assert asyncio.run(get(app)) == (200, "acme0 acme1 ")
    assert seen == ["acme"]
    assert app.lifecycle.pool.get_stats().released == 1


def test_a_background_task_outlives_the_context(app):
    """H06: a detached copy lasts; the context itself is sealed by then."""
    seen, answered = [], asyncio.Event()

    async def later(held, copy):
        await answered.wait()
        seen.append(copy.tenant)
        try:
            seen.append(held.tenant)
        except ContextReleased as error:
            seen.append(type(error))

    @app.get("/")
    async def handler():
        ctx = AppContext.of(request)
        ctx.tenant = "acme"
        app.add_background_task(later, ctx, ctx.detach())
        return "later"

    async def visit():
        async with app.test_app() as served:
            await (await served.test_client().get("/")).get_data()
            while app.lifecycle.pool.get_stats().in_use:  # noqa: ASYNC110 - what ends it is the pool, not a task
                await asyncio.sleep(0)
            answered.set()

    asyncio.run(visit())
    assert seen == ["acme", ContextReleased]


def test_a_websocket(app):
    """H22."""

    @app.websocket("/live")
    async def live():
        AppContext.of(websocket).tenant = await websocket.receive()
        await websocket.send(AppContext.of(websocket).tenant)

    async def talk():
        async with app.test_app() as served, served.test_client().websocket("/live") as client:
            await client.send("acme")
            return await client.receive()

    assert asyncio.run(talk()) == "acme"
    assert app.lifecycle.pool.get_stats().released == 1


@pytest.mark.parametrize("handled", [False, True])
def test_a_refused_request_is_answered_by_a_handler_of_the_application(app, handled):
    @app.get("/")
    async def handler():
        msg = "nothing came free"
        raise PoolTimeout(msg)

    async def refuse(error):
        return str(error), error.status

    app.testing, app.config["PROPAGATE_EXCEPTIONS"] = False, False
    if handled:
        app.register_error_handler(RequestRefused, refuse)
    assert asyncio.run(get(app))[0] == (503 if handled else 500)
