"""starlette_poolware.init_app, and the middleware added by hand."""

import contextlib

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from poolware import BadOption, ConfigurationError, ContextMissing, Lifecycle, RequestContext, UnknownOption
from starlette_poolware import PoolwareMiddleware, init_app


class AppContext(RequestContext):
    tenant: str = ""


class OtherContext(RequestContext):
    pass


async def home(request):
    request.ctx.tenant = "acme"
    return PlainTextResponse(AppContext.of(request).tenant)


async def broken(request):
    request.ctx.tenant = "acme"
    raise LookupError


async def missing(request):
    request.ctx.tenant = "acme"
    raise HTTPException(404)


async def async_page(request, _error):
    return PlainTextResponse(f"sorry, {request.ctx.tenant}", 500)


def sync_page(request, _error):
    return PlainTextResponse(f"sorry, {request.ctx.tenant}", 500)


def make_app(**options):
    return Starlette(routes=[Route("/", home), Route("/broken", broken), Route("/missing", missing)], **options)


def test_a_view_has_request_ctx(make_client):
    app = make_app()
    init_app(app, context=AppContext)
    client = make_client(app)
    assert [client.get("/").text for _ in range(2)] == ["acme", "acme"]
    assert app.state.poolware.pool.get_stats().released == 2


@pytest.mark.parametrize("page", [async_page, sync_page])
@pytest.mark.parametrize("key", [Exception, 500])
def test_the_outermost_error_pages_have_the_context_too(make_client, key, page):
    """H16: Starlette runs these outside of every middleware of the user's."""
    app = make_app(exception_handlers={key: page})
    lifecycle = init_app(app, context=AppContext)
    response = make_client(app, raise_server_exceptions=False).get("/broken")
    assert (response.status_code, response.text) == (500, "sorry, acme")
    assert lifecycle.pool.get_stats().in_use == 0


def test_handlers_of_http_errors_have_the_context(make_client):
    """H16."""
    app = make_app(exception_handlers={404: async_page})
    init_app(app, context=AppContext)
    assert make_client(app).get("/missing").text == "sorry, acme"


def test_the_debug_page_is_shown_and_the_context_goes_back(make_client):
    """H16: the page shows a traceback with locals."""
    app = make_app(debug=True)
    lifecycle = init_app(app, context=AppContext)
    response = make_client(app, raise_server_exceptions=False).get("/broken", headers={"accept": "text/html"})
    assert response.status_code == 500
    assert "LookupError" in response.text
    assert lifecycle.pool.get_stats().in_use == 0


@pytest.mark.parametrize("before", [True, False])
def test_every_middleware_of_the_users_has_the_context(make_client, before):
    """init_app is outermost whatever is added before or after it."""

    async def dispatch(request, call_next):
        request.ctx.tenant = "from the middleware"
        response = await call_next(request)
        response.headers["x-tenant"] = request.ctx.tenant
        return response

    app = make_app()
    if before:
        app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    init_app(app, context=AppContext)
    if not before:
        app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    assert make_client(app).get("/").headers["x-tenant"] == "acme"


@pytest.mark.parametrize("by", ["add_middleware", "constructor"])
def test_the_middleware_added_by_hand_serves_views_and_http_errors(make_client, by):
    options = {"exception_handlers": {404: async_page}}
    if by == "constructor":
        app = make_app(middleware=[Middleware(PoolwareMiddleware, context=AppContext)], **options)
    else:
        app = make_app(**options)
        app.add_middleware(PoolwareMiddleware, context=AppContext)
    client = make_client(app)
    assert client.get("/").text == "acme"
    assert client.get("/missing").text == "sorry, acme"


def test_outside_of_the_added_middleware_the_message_says_what_is_missing(make_client):
    """Handlers for Exception lie outside; init_app is for them."""
    messages = []

    async def page(request, _error):
        with pytest.raises(ContextMissing, match="GET /broken carries no context") as raised:
            _ = request.ctx
        messages.append(str(raised.value))
        return PlainTextResponse("sorry", 500)

    app = make_app(exception_handlers={Exception: page})
    app.add_middleware(PoolwareMiddleware, context=AppContext)
    assert make_client(app, raise_server_exceptions=False).get("/broken").text == "sorry"
    assert len(messages) == 1


def test_the_middleware_inside_of_init_app_steps_aside(make_client):
    """H23: one owner."""
    app = make_app()
    inner = Lifecycle(OtherContext)
    app.add_middleware(PoolwareMiddleware, lifecycle=inner)
    init_app(app, context=AppContext)
    assert make_client(app).get("/").text == "acme"
    assert inner.pool.get_stats().acquired == 0


def test_init_app_returns_the_lifecycle_that_is_app_state_poolware():
    app = make_app()
    lifecycle = init_app(app, context=AppContext)
    assert app.state.poolware is lifecycle
    assert lifecycle.context is AppContext


def test_two_applications_share_the_lifecycle_they_are_given(make_client):
    lifecycle = Lifecycle(AppContext)
    apps = [make_app(), make_app()]
    for app in apps:
        assert init_app(app, lifecycle) is lifecycle
        make_client(app).get("/")
    assert lifecycle.pool.get_stats().acquired == 2


def test_init_app_after_the_first_request_is_an_error(make_client):
    """H40: it would have no effect; and the application goes on as it was."""
    app = make_app()
    client = make_client(app, raise_server_exceptions=False)
    client.get("/missing")
    with pytest.raises(ConfigurationError, match="once, and before the application's first request"):
        init_app(app, context=AppContext)
    assert not hasattr(app.state, "poolware")
    assert client.get("/nowhere").status_code == 404


def test_init_app_twice_is_an_error(make_client):
    """H40: and the first stays."""
    app = make_app()
    init_app(app, context=AppContext)
    with pytest.raises(ConfigurationError, match="init_app"):
        init_app(app, context=OtherContext)
    assert make_client(app).get("/").text == "acme"


def test_a_wrong_option_names_init_app_and_leaves_the_application_as_it_was(make_client):
    """H40."""
    app = make_app()
    with pytest.raises(UnknownOption, match=r"^init_app has no option 'contxt'; it takes ambient, buffers, context"):
        init_app(app, contxt=AppContext)
    with pytest.raises(BadOption, match=r"^prewarm=-1"):
        init_app(app, context=AppContext, prewarm=-1)
    init_app(app, context=AppContext)
    assert make_client(app).get("/").text == "acme"


def test_the_lifespan_prewarms_and_clears(make_client):
    idle = []

    @contextlib.asynccontextmanager
    async def lifespan(app):
        idle.append(app.state.poolware.pool.get_stats().idle)
        yield

    app = make_app(lifespan=lifespan)
    lifecycle = init_app(app, context=AppContext, prewarm=3)
    lifecycle.close()
    with make_client(app) as client:
        assert client.get("/").text == "acme"
        assert lifecycle.pool.get_stats().idle == 3
    assert idle == [3]
    assert lifecycle.pool.get_stats().idle == 0
