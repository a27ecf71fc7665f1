"""request.ctx on Flask: hooks, error handlers, and what outlives the response."""

import pytest
from flask import Flask, Response, copy_current_request_context, request

from flask_poolware import Poolware
from poolware import ContextMissing, ContextReleased, RequestContext


class AppContext(RequestContext):
    tenant: str = ""


@pytest.fixture
def app():
    app = Flask("shop")
    Poolware(app, context=AppContext)
    return app


def stats_of(app):
    return app.extensions["poolware"].pool.get_stats()


def test_every_hook_has_the_context(app):
    """H16: teardown included."""
    seen = []

    @app.before_request
    def before():
        seen.append(f"before {request.ctx.tenant}")
        request.ctx.tenant = "acme"

    @app.after_request
    def after(response):
        seen.append(f"after {request.ctx.tenant}")
        return response

    @app.teardown_request
    def teardown(_error):
        seen.append(f"teardown {request.ctx.tenant}")

    @app.get("/")
    def home():
        return request.ctx.tenant

    assert app.test_client().get("/").text == "acme"
    assert seen == ["before ", "after acme", "teardown acme"]


@pytest.mark.parametrize("key", [LookupError, Exception, 500])
def test_error_handlers_have_the_context(app, key):
    """H16."""
    teardown = []
    app.register_error_handler(key, lambda _error: (f"sorry, {request.ctx.tenant}", 500))
    app.teardown_request(lambda _error: teardown.append(request.ctx.tenant))

    @app.get("/")
    def home():
        request.ctx.tenant = "acme"
        raise LookupError

    client = app.test_client()
    assert [client.get("/").text for _ in range(2)] == ["sorry, acme"] * 2
    assert teardown == ["acme", "acme"]


def test_an_unhandled_exception_passes_and_the_context_comes_back(app):
    """H16."""
    app.testing = True

    @app.get("/orders")
    def orders():
        ctx = request.ctx
        raise LookupError(ctx.tenant)

    with pytest.raises(LookupError) as raised:
        app.test_client().get("/orders")
    assert stats_of(app).quarantined == 1
    with pytest.raises(ContextReleased, match="GET /orders"):
        _ = raised.traceback[-1].frame.f_locals["ctx"].tenant


def test_nothing_passes_from_one_request_to_the_next(app):
    """H10: in the same thread."""

    @app.get("/")
    def home():
        before, request.ctx.tenant = request.ctx.tenant, "acme"
        return before or "nobody"

    client = app.test_client()
    assert [client.get("/").text for _ in range(3)] == ["nobody"] * 3


def test_not_modified(app):
    """H21: 304 has no body."""

    @app.get("/")
    def home():
        response = Response(request.ctx.tenant)
        response.set_etag("v1")
        return response.make_conditional(request)

    assert app.test_client().get("/", headers={"If-None-Match": '"v1"'}).status_code == 304


def test_an_async_view(app):
    @app.get("/")
    async def home():
        request.ctx.tenant = "acme"
        return AppContext.of(request).tenant

    assert app.test_client().get("/").text == "acme"


def test_the_test_clients_kept_context(app):
    """``with app.test_client()`` keeps Flask's request alive; poolware's context has ended with the response."""

    @app.get("/")
    def home():
        return request.ctx.tenant

    with app.test_client() as client:
        client.get("/").close()
        with pytest.raises(ContextMissing, match="the response has ended"):
            _ = request.ctx
        assert request.path == "/"


def test_a_thread_that_outlives_the_response_finds_no_context(app):
    """H06: copy_current_request_context takes the request along, and the context does not stay for it."""
    later = []

    @app.get("/")
    def home():
        @copy_current_request_context
        def work():
            with pytest.raises(ContextMissing, match=r"use ctx\.detach\(\)"):
                _ = request.ctx
            return "done"

        later.append(work)
        return request.ctx.detach().request_id

    app.test_client().get("/").close()
    assert later.pop()() == "done"
