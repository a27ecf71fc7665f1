"""Lifecycle: the begin and end of a request, and the options of an application."""

import logging
import re

import pytest

import starlette_poolware
from flask_poolware import Poolware
from poolware import BadOption, BufferPool, ContextMissing, Lifecycle, RequestContext, UnknownOption, errors
from poolware.pools import announce
from poolware.web.asgi import PoolwareMiddleware as ASGIMiddleware
from poolware.web.lifecycle import lifecycle_from
from poolware.web.wsgi import PoolwareMiddleware as WSGIMiddleware
from starlette_poolware.fastapi import from_request

KEY = "poolware.ctx"


class AppContext(RequestContext):
    tenant: str = ""


def test_begin_places_a_pristine_context_in_the_carrier():
    lifecycle = Lifecycle(AppContext)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}

    ctx = lifecycle.begin(scope)

    assert scope[KEY] is ctx
    assert AppContext.of(scope) is ctx
    assert (ctx.tenant, ctx.user, ctx.params, ctx.response) == ("", None, {}, None)
    assert ctx.started_at > 0
    del ctx
    lifecycle.finish(scope)


def test_finish_takes_the_context_out_and_the_next_request_finds_it_pristine():
    lifecycle = Lifecycle(AppContext)
    scope: dict[str, object] = {}
    for _ in range(3):
        ctx = lifecycle.begin(scope)
        assert (ctx.tenant, ctx.params) == ("", {})
        ctx.tenant, ctx.params["id"] = "acme", "17"
        del ctx
        lifecycle.finish(scope)
        assert scope == {}

    stats = lifecycle.pool.get_stats()
    assert (stats.acquired, stats.released, stats.created, stats.hits) == (3, 3, 1, 2)


def test_a_second_finish_does_nothing():
    """H12: teardown may fire twice."""
    lifecycle = Lifecycle(AppContext)
    scope: dict[str, object] = {}
    lifecycle.begin(scope)
    lifecycle.finish(scope)
    lifecycle.finish(scope)
    stats = lifecycle.pool.get_stats()
    assert (stats.released, stats.idle, stats.refused) == (1, 1, 0)


def test_finishing_a_carrier_that_never_began_does_nothing():
    lifecycle = Lifecycle(AppContext)
    lifecycle.finish({})
    assert lifecycle.pool.get_stats().released == 0


def test_after_the_end_the_carrier_says_what_may_have_happened():
    lifecycle = Lifecycle(AppContext)
    scope = {"type": "http", "method": "GET", "path": "/orders/17", "query_string": b"card=4111"}
    lifecycle.begin(scope)
    lifecycle.finish(scope)
    with pytest.raises(ContextMissing, match=r"GET /orders/17 carries no context.*the response has ended") as raised:
        AppContext.of(scope)
    assert "4111" not in str(raised.value)


def test_requests_at_the_same_time_have_contexts_of_their_own():
    lifecycle = Lifecycle(AppContext)
    first: dict[str, object] = {}
    second: dict[str, object] = {}
    lifecycle.begin(first).tenant = "acme"
    lifecycle.begin(second)
    assert first[KEY] is not second[KEY]
    assert AppContext.of(second).tenant == ""
    lifecycle.finish(first)
    lifecycle.finish(second)


def test_open_builds_what_prewarm_asks_for_and_close_lets_go_of_it():
    lifecycle = Lifecycle(AppContext, prewarm=3)
    assert lifecycle.pool.get_stats().idle == 3
    lifecycle.buffers.acquire(100).release()
    lifecycle.close()
    assert (lifecycle.pool.get_stats().idle, lifecycle.buffers.get_stats().idle) == (0, 0)
    lifecycle.open()
    lifecycle.open()
    assert lifecycle.pool.get_stats().idle == 3


def test_a_request_in_flight_ends_as_usual_after_close():
    lifecycle = Lifecycle(AppContext)
    scope: dict[str, object] = {}
    ctx = lifecycle.begin(scope)
    buffer = ctx.buffer(10)
    lifecycle.close()
    buffer.write(b"still here")
    del ctx
    lifecycle.finish(scope)
    assert buffer.closed


def test_two_applications_can_share_one_lifecycle():
    lifecycle = Lifecycle(AppContext)
    app = lambda *_: None  # noqa: E731
    assert WSGIMiddleware(app, lifecycle).lifecycle is ASGIMiddleware(app, lifecycle).lifecycle is lifecycle


@pytest.mark.parametrize(
    ("option", "value", "takes"),
    [
        ("context", dict, "a class derived from poolware.RequestContext"),
        ("context", AppContext(), "a class derived from poolware.RequestContext"),
        ("context", "shop.AppContext", "a class derived from poolware.RequestContext"),
        ("buffers", 64, "a poolware.BufferPool, or None"),
        ("buffers", BufferPool, "a poolware.BufferPool, or None"),
        ("prewarm", -1, "a whole number of at least 0"),
        ("prewarm", True, "a whole number of at least 0"),
        ("prewarm", "3", "a whole number of at least 0"),
        ("max_idle", 1.5, "a whole number of at least 0"),
        ("max_idle", None, "a whole number of at least 0"),
        ("max_quarantine", -1, "a whole number of at least 0"),
        ("ambient", 1, "True or False"),
    ],
)
@pytest.mark.parametrize(
    "build",
    [Lifecycle, lambda **o: ASGIMiddleware(object(), **o), lambda **o: WSGIMiddleware(object(), **o)],
    ids=["Lifecycle", "asgi", "wsgi"],
)
def test_a_value_that_an_option_does_not_take_is_an_error_at_start(build, option, value, takes):
    """H40: the message names the option and what it takes."""
    with pytest.raises(BadOption, match=rf"^{option}=.*it takes {re.escape(takes)}"):
        build(**{option: value})


@pytest.mark.parametrize("middleware", [ASGIMiddleware, WSGIMiddleware])
def test_an_unknown_option_is_an_error_that_lists_the_known_ones(middleware):
    """H40: unknown option."""
    with pytest.raises(
        UnknownOption, match=r"PoolwareMiddleware has no option 'contxt'; it takes ambient, buffers, context, "
    ):
        middleware(object(), contxt=AppContext)


def test_a_middleware_takes_a_lifecycle_or_options_but_not_both():
    """H40: one of the two would be ignored."""
    with pytest.raises(BadOption, match=r"either a Lifecycle or its options, not both: prewarm"):
        lifecycle_from("PoolwareMiddleware", Lifecycle(AppContext), {"prewarm": 3})


@pytest.mark.parametrize("lifecycle", [AppContext, Lifecycle, {"context": AppContext}])
def test_what_is_given_as_a_lifecycle_must_be_one(lifecycle):
    """H40: the context class in the place of the lifecycle."""
    with pytest.raises(BadOption, match=r"^lifecycle=.*it takes a poolware\.Lifecycle"):
        lifecycle_from("PoolwareMiddleware", lifecycle)


def test_a_wrong_mode_is_an_error_at_start(monkeypatch):
    """H40: POOLWARE_MODE."""
    monkeypatch.setenv("POOLWARE_MODE", "of")
    with pytest.raises(BadOption, match=r"POOLWARE_MODE='of': it takes 'on', 'off' or 'debug'"):
        Lifecycle(AppContext)


@pytest.mark.parametrize("mode", ["off", "debug"])
def test_a_mode_without_reuse_is_announced_once(monkeypatch, caplog, mode):
    monkeypatch.setenv("POOLWARE_MODE", mode)
    monkeypatch.setattr(announce, "_announced", False)
    with caplog.at_level(logging.INFO, "poolware"):
        Lifecycle(AppContext)
        Lifecycle(AppContext)
    assert caplog.messages == [f"nothing is reused: POOLWARE_MODE={mode}"]


def test_reuse_says_nothing(monkeypatch, caplog):
    monkeypatch.setenv("POOLWARE_MODE", "on")
    monkeypatch.setattr(announce, "_announced", False)
    with caplog.at_level(logging.DEBUG, "poolware"):
        Lifecycle(AppContext)
    assert caplog.messages == []


def test_off_mode_has_the_same_interface_and_reuses_nothing(monkeypatch):
    monkeypatch.setenv("POOLWARE_MODE", "off")
    lifecycle = Lifecycle(AppContext, prewarm=2)
    for _ in range(2):
        scope: dict[str, object] = {}
        buffer = lifecycle.begin(scope).buffer(100)
        lifecycle.finish(scope)
        assert buffer.closed
    contexts, buffers = lifecycle.pool.get_stats(), lifecycle.buffers.get_stats()
    assert (contexts.created, contexts.dropped, contexts.idle) == (2, 2, 0)
    assert (buffers.created, buffers.dropped, buffers.idle) == (2, 2, 0)


def test_errors_of_configuration_are_value_errors():
    assert issubclass(errors.ConfigurationError, ValueError)


@pytest.mark.parametrize("app", [None, "app", 5])
@pytest.mark.parametrize("middleware", [ASGIMiddleware, WSGIMiddleware])
def test_what_is_no_application(middleware, app):
    """H40."""
    with pytest.raises(BadOption, match="it takes a WSGI or ASGI application"):
        middleware(app)


@pytest.mark.parametrize("what", ["x", int, None, RequestContext()])
def test_what_no_integration_takes(what):
    """H40: at the start, and not in a request."""
    with pytest.raises(BadOption, match="it takes a class derived from"):
        from_request(what)
    with pytest.raises(BadOption, match="it takes a Starlette or FastAPI application"):
        starlette_poolware.init_app(what)
    if what is not None:
        with pytest.raises(BadOption, match="it takes a Flask application"):
            Poolware(what)
