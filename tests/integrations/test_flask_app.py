"""flask_poolware.Poolware: how it gets onto an application."""

import logging

import pytest
from flask import Flask, Request, request
from werkzeug.exceptions import HTTPException

from flask_poolware import Poolware
from poolware import (
    BadOption,
    ConfigurationError,
    ContextMissing,
    Lifecycle,
    RequestContext,
    UnknownOption,
    WrongContext,
)
from poolware.web.accessor import ContextAttribute
from poolware.web.wsgi import PoolwareMiddleware


class AppContext(RequestContext):
    tenant: str = ""


class OtherContext(RequestContext):
    pass


def make_app(name="shop", request_class=None):
    app = Flask(name)
    if request_class is not None:
        app.request_class = request_class

    @app.get("/")
    def home():
        request.ctx.tenant += name
        return f"{request.ctx.tenant} {type(request.ctx).__name__}"

    return app


def test_a_view_has_request_ctx():
    app = make_app()
    Poolware(app, context=AppContext)
    client = app.test_client()
    assert [client.get("/").text for _ in range(2)] == ["shop AppContext"] * 2
    stats = app.extensions["poolware"].pool.get_stats()
    assert (stats.released, stats.created) == (2, 1)


def test_an_application_factory():
    poolware = Poolware(context=AppContext)
    app = make_app()
    lifecycle = poolware.init_app(app)
    assert app.extensions["poolware"] is lifecycle
    assert lifecycle.context is AppContext
    assert app.test_client().get("/").text == "shop AppContext"


def test_several_applications_of_one_extension_have_pools_of_their_own():
    poolware = Poolware(context=AppContext, prewarm=2)
    apps = [make_app("shop"), make_app("admin")]
    lifecycles = [poolware.init_app(app) for app in apps]
    assert [app.test_client().get("/").text for app in apps] == ["shop AppContext", "admin AppContext"]
    assert lifecycles[0] is not lifecycles[1]
    assert [lifecycle.pool.get_stats().acquired for lifecycle in lifecycles] == [1, 1]


def test_several_applications_share_the_lifecycle_they_are_given():
    lifecycle = Lifecycle(AppContext)
    poolware = Poolware(lifecycle=lifecycle)
    for app in (make_app("shop"), make_app("admin")):
        assert poolware.init_app(app) is lifecycle
        app.test_client().get("/")
    assert lifecycle.pool.get_stats().acquired == 2


@pytest.mark.parametrize("again", [Poolware, lambda app: Poolware().init_app(app)])
def test_a_second_init_is_an_error_that_names_the_application(again):
    """H40: and the first stays."""
    app = make_app()
    Poolware(app, context=AppContext)
    with pytest.raises(ConfigurationError, match=r"shop: init_app\(\) was called before for this application"):
        again(app)
    assert app.test_client().get("/").text == "shop AppContext"


@pytest.mark.parametrize("with_app", [False, True])
def test_a_wrong_option_is_an_error_at_once(with_app):
    """H40: where it is written, not where the factory runs; and the application is as it was."""
    app = make_app()
    args = [app] if with_app else []
    with pytest.raises(UnknownOption, match=r"^Poolware has no option 'contxt'; it takes ambient, buffers, context"):
        Poolware(*args, contxt=AppContext)
    with pytest.raises(BadOption, match=r"^max_idle=-1"):
        Poolware(*args, context=AppContext, max_idle=-1)
    with pytest.raises(BadOption, match="not both: prewarm"):
        Poolware(*args, lifecycle=Lifecycle(AppContext), prewarm=1)
    Poolware(app, context=AppContext)
    assert app.test_client().get("/").text == "shop AppContext"


def test_without_the_extension_the_message_says_what_is_missing():
    Poolware(make_app())  # another application; Flask's request class is the same
    app = make_app()
    app.testing = True
    with pytest.raises(ContextMissing, match=r"GET / carries no context\. Either the poolware middleware is not"):
        app.test_client().get("/")


def test_a_test_request_context_has_none():
    """It goes around wsgi_app; the message covers it."""
    app = make_app()
    Poolware(app, context=AppContext)
    with app.test_request_context("/orders"):
        with pytest.raises(ContextMissing, match="GET /orders"):
            _ = request.ctx
        assert not hasattr(request, "ctx")


def test_a_request_class_of_ones_own():
    class MyRequest(Request):
        pass

    app = make_app(request_class=MyRequest)
    Poolware(app, context=AppContext)
    assert isinstance(MyRequest.ctx, ContextAttribute)
    assert app.test_client().get("/").text == "shop AppContext"


def test_a_request_class_that_has_a_ctx_of_its_own_keeps_it_and_is_reported(caplog):
    class MyRequest(Request):
        @property
        def ctx(self):
            return "my own"

    app = Flask("shop")
    app.request_class = MyRequest

    @app.get("/")
    def home():
        AppContext.of(request).tenant = "acme"
        return f"{request.ctx}, {AppContext.of(request).tenant}"

    with caplog.at_level(logging.WARNING, "poolware"):
        Poolware(app, context=AppContext)
    assert "MyRequest has an attribute ctx of its own, which stays" in caplog.text
    assert app.test_client().get("/").text == "my own, acme"


def test_the_typed_accessor_takes_the_proxy_the_request_and_the_environ():
    app = Flask("shop")

    @app.get("/orders")
    def orders():
        each = (request, request._get_current_object(), request.environ)
        assert {id(AppContext.of(one)) for one in each} == {id(request.ctx)}
        with pytest.raises(WrongContext, match="GET /orders carries AppContext, not OtherContext"):
            OtherContext.of(request)
        return "same"

    Poolware(app, context=AppContext)
    assert app.test_client().get("/orders").text == "same"


def test_inside_of_the_generic_middleware_the_extension_steps_aside():
    """H23: one owner, the outermost."""
    app = make_app()
    inner = Poolware(context=OtherContext).init_app(app)
    outer = PoolwareMiddleware(app.wsgi_app, context=AppContext)
    app.wsgi_app = outer
    assert app.test_client().get("/").text == "shop AppContext"
    assert inner.pool.get_stats().acquired == 0
    assert outer.lifecycle.pool.get_stats().released == 1


def test_a_dispatcher_with_two_applications_has_one_owner():
    """H23: an application mounted below another by path."""
    inner = make_app("inner")
    Poolware(inner, context=OtherContext)
    app = make_app("outer")
    Poolware(app, context=AppContext)
    dispatch = app.wsgi_app.app

    def by_path(environ, start_response):
        below = environ["PATH_INFO"].startswith("/inner")
        if below:
            environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/inner")
        return (inner.wsgi_app if below else dispatch)(environ, start_response)

    app.wsgi_app.app = by_path
    assert app.test_client().get("/inner/").text == "inner AppContext"
    assert app.test_client().get("/").text == "outer AppContext"
    assert inner.extensions["poolware"].pool.get_stats().acquired == 0


def test_http_exceptions_are_flasks_own():
    app = make_app()
    Poolware(app, context=AppContext)
    app.register_error_handler(HTTPException, lambda error: (f"{request.ctx.tenant or 'nobody'}: {error.code}", 404))
    assert app.test_client().get("/nowhere").text == "nobody: 404"
