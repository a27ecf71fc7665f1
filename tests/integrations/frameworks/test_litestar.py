"""Litestar: where its middlewares lie, and what has the context."""

import pytest
from litestar import Litestar, get
from litestar.di import NamedDependency, Provide
from litestar.middleware import DefineMiddleware
from litestar.params import FromPath
from litestar.testing import TestClient
from litestar.types import Scope

from poolware import ContextMissing, Lifecycle, PoolTimeout, RequestContext
from poolware.web.asgi import PoolwareMiddleware


class AppContext(RequestContext):
    tenant: str = ""


async def provide_ctx(scope: Scope) -> AppContext:
    return AppContext.of(scope)


Ctx = NamedDependency[AppContext]


def make_app(*handlers, **options):
    lifecycle = Lifecycle(AppContext)
    app = Litestar(
        handlers,
        middleware=[DefineMiddleware(PoolwareMiddleware, lifecycle=lifecycle)],
        dependencies={"ctx": Provide(provide_ctx)},
        openapi_config=None,
        logging_config=None,
        **options,
    )
    return app, lifecycle


def test_hooks_and_guards_have_the_context_of_the_handler():
    """From before_request to after_response, which runs behind the answer."""
    seen = []

    async def before(request):
        AppContext.of(request).tenant = "acme"

    def guard(connection, _handler):
        seen.append(AppContext.of(connection).tenant)

    async def after(request):
        seen.append(AppContext.of(request).tenant)

    @get("/{name:str}", guards=[guard], before_request=before, after_response=after)
    async def handler(ctx: Ctx, name: FromPath[str]) -> str:
        before, ctx.tenant = ctx.tenant, name
        return before

    app, lifecycle = make_app(handler)
    with TestClient(app) as client:
        assert [client.get(f"/{name}").text for name in ("first", "second")] == ["acme", "acme"]
    assert seen == ["", "first", "", "second"]
    assert lifecycle.pool.get_stats().released == 2


def test_routes_share_the_pools_of_one_lifecycle():
    """Litestar builds a middleware for each route; the context comes from the same pool all the same."""

    @get("/one")
    async def one(ctx: Ctx) -> str:
        return ctx.tenant

    @get("/other")
    async def other(ctx: Ctx) -> str:
        return ctx.tenant

    app, lifecycle = make_app(one, other)
    with TestClient(app) as client:
        assert [client.get(path).status_code for path in ("/one", "/other")] == [200, 200]
    stats = lifecycle.pool.get_stats()
    assert (stats.created, stats.released) == (1, 2)


@pytest.mark.parametrize("outermost", [False, True])
def test_a_path_without_a_route_has_a_context_only_outermost(outermost):
    """H23: the inner middleware steps aside for the outer one."""

    def page(request, error):
        from litestar import Response

        try:
            return Response(AppContext.of(request).tenant or "pristine", status_code=404)
        except ContextMissing as missing:
            return Response(str(missing), status_code=404)

    @get("/")
    async def handler(ctx: Ctx) -> str:
        return ctx.tenant

    app, lifecycle = make_app(handler, exception_handlers={404: page})
    with TestClient(PoolwareMiddleware(app, lifecycle) if outermost else app) as client:
        assert client.get("/").status_code == 200
        assert ("pristine" if outermost else "GET /nowhere carries no context") in client.get("/nowhere").text
    assert lifecycle.pool.get_stats().released == 1 + outermost


def test_a_refused_request_is_answered_by_a_handler_of_the_application():
    def refuse(request, error):
        from litestar import Response

        return Response(str(error), status_code=error.status)

    @get("/")
    async def handler(ctx: Ctx) -> None:
        msg = "nothing came free"
        raise PoolTimeout(msg)

    for handlers, status in (({}, 500), ({PoolTimeout: refuse}, 503)):
        app, _ = make_app(handler, exception_handlers=handlers)
        with TestClient(app, raise_server_exceptions=False) as client:
            assert client.get("/").status_code == status
