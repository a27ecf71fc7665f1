"""The context as a FastAPI dependency."""

import inspect
from typing import Annotated

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, WebSocket
from fastapi.responses import StreamingResponse

from poolware import RequestContext, WrongContext
from starlette_poolware import init_app
from starlette_poolware.fastapi import from_request


class AppContext(RequestContext):
    tenant: str = ""


class OtherContext(RequestContext):
    pass


Ctx = Annotated[AppContext, from_request(AppContext)]


def make_app(**options):
    app = FastAPI(**options)
    init_app(app, context=AppContext)
    return app


def test_a_route_has_the_context_of_its_request(make_client):
    app = make_app()

    @app.get("/")
    async def route(ctx: Ctx):
        before, ctx.tenant = ctx.tenant, "acme"
        return {"before": before, "class": type(ctx).__name__}

    client = make_client(app)
    assert [client.get("/").json() for _ in range(2)] == [{"before": "", "class": "AppContext"}] * 2
    assert app.state.poolware.pool.get_stats().created == 1


def test_a_sync_route_in_its_thread(make_client):
    app = make_app()

    @app.get("/")
    def route(ctx: Ctx):
        ctx.tenant = "acme"
        return ctx.tenant

    assert make_client(app).get("/").json() == "acme"


def test_the_dependency_is_async():
    """H06: a sync one runs in a thread, whose Future would hold each context beyond its response."""
    assert inspect.iscoroutinefunction(from_request(AppContext).dependency)


def test_the_form_with_a_default_argument(make_client):
    app = make_app()

    @app.get("/")
    async def route(ctx: AppContext = from_request(AppContext)):  # noqa: B008 - FastAPI's older form
        return ctx.tenant

    assert make_client(app).get("/").json() == ""


def test_a_websocket(make_client):
    """H22."""
    app = make_app()

    @app.websocket("/live")
    async def live(websocket: WebSocket, ctx: Ctx):
        await websocket.accept()
        ctx.tenant = await websocket.receive_text()
        await websocket.send_text(websocket.ctx.tenant)
        await websocket.close()

    with make_client(app).websocket_connect("/live") as websocket:
        websocket.send_text("acme")
        assert websocket.receive_text() == "acme"
    assert app.state.poolware.pool.get_stats().released == 1


def test_a_chain_of_dependencies_shares_it(make_client):
    """Async and sync ones; a sync one runs in a thread, whose Future holds the context for a moment longer."""
    app = make_app()

    async def authenticate(ctx: Ctx):
        ctx.user = "ada"
        return ctx

    def authorize(ctx: Annotated[AppContext, Depends(authenticate)]):
        ctx.tenant = f"{ctx.user}'s"
        return ctx

    @app.get("/")
    async def route(ctx: Ctx, authorized: Annotated[AppContext, Depends(authorize)]):
        return {"same": ctx is authorized, "tenant": ctx.tenant}

    client = make_client(app)
    for _ in range(3):
        assert client.get("/").json() == {"same": True, "tenant": "ada's"}


@pytest.mark.parametrize("fails", [False, True])
def test_a_dependency_with_yield_has_it_at_its_end_too(make_client, fails):
    """H16, H19: the part after yield runs after the route, also when that raised."""
    app, seen = make_app(), []

    async def transaction(ctx: Ctx):
        ctx.tenant = "acme"
        try:
            yield
        finally:
            seen.append(ctx.tenant)

    @app.get("/", dependencies=[Depends(transaction)])
    async def route(ctx: Ctx):
        if fails:
            raise HTTPException(409, ctx.tenant)
        return ctx.tenant

    response = make_client(app).get("/")
    assert (response.status_code, response.json()) == ((409, {"detail": "acme"}) if fails else (200, "acme"))
    assert seen == ["acme"]


def test_streams_and_background_tasks_have_it(make_client):
    """H19."""
    app, seen = make_app(), []

    async def chunks(ctx):
        for number in range(3):
            yield f"{number}{ctx.tenant} "
            ctx.tenant = "acme"

    @app.get("/")
    async def route(ctx: Ctx, tasks: BackgroundTasks):
        tasks.add_task(lambda: seen.append(ctx.tenant))
        return StreamingResponse(chunks(ctx))

    assert make_client(app).get("/").text == "0 1acme 2acme "
    assert seen == ["acme"]


def test_an_unhandled_exception_comes_back_from_quarantine(make_client):
    """H16: the traceback holds the context."""
    app = make_app()

    @app.exception_handler(Exception)
    async def page(request, _error):
        return StreamingResponse(iter([request.ctx.tenant]), 500)

    @app.get("/")
    async def route(ctx: Ctx):
        ctx.tenant = "acme"
        raise LookupError

    client = make_client(app, raise_server_exceptions=False)
    assert [(r.status_code, r.text) for r in (client.get("/"), client.get("/"))] == [(500, "acme")] * 2


def test_a_validation_error_ends_the_context(make_client):
    """H16: the route is never called."""
    app = make_app()

    @app.get("/{number}")
    async def route(number: int, ctx: Ctx):
        return number

    assert make_client(app).get("/seven").status_code == 422
    assert app.state.poolware.pool.get_stats().released == 1


def test_another_context_class_is_an_error_that_names_both(make_client):
    app = make_app()

    @app.get("/orders")
    async def route(ctx: Annotated[OtherContext, from_request(OtherContext)]):
        return None

    with pytest.raises(WrongContext, match="GET /orders carries AppContext, not OtherContext"):
        make_client(app).get("/orders")


def test_a_base_class_of_the_context_is_accepted(make_client):
    """A library's dependency asks for what it needs, the application's class has more."""
    app = make_app()

    @app.get("/")
    async def route(ctx: Annotated[RequestContext, from_request(RequestContext)]):
        return type(ctx).__name__

    assert make_client(app).get("/").json() == "AppContext"


def test_the_openapi_schema_does_not_show_it():
    def schema(app, *dependencies):
        @app.get("/orders/{number}", dependencies=list(dependencies))
        async def route(number: int) -> int:
            return number

        return app.openapi()

    async def authenticate(ctx: Ctx):
        ctx.user = "ada"

    expected = schema(FastAPI())
    assert schema(make_app(), from_request(AppContext)) == expected
    assert schema(make_app(), Depends(authenticate)) == expected


def test_the_openapi_schema_of_a_route_that_takes_it():
    app = make_app()

    @app.get("/orders")
    async def route(ctx: Ctx) -> int:
        return 0

    operation = app.openapi()["paths"]["/orders"]["get"]
    assert "parameters" not in operation
    assert "requestBody" not in operation
    assert set(operation["responses"]) == {"200"}
