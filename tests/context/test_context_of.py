"""AppContext.of(request): one typed way to the context of a request."""

from collections import UserDict
from types import MappingProxyType, SimpleNamespace

import pytest
from requests_sample import AppContext, http_scope

from poolware import Context, ContextMissing, RequestContext, WrongContext
from poolware.context.carrier import KEY


class OtherContext(RequestContext):
    pass


def environ():
    return {"REQUEST_METHOD": "POST", "SCRIPT_NAME": "/shop", "PATH_INFO": "/orders", "wsgi.version": (1, 0)}


REQUESTS = {
    "scope": lambda carrier: carrier,
    "mapping": UserDict,
    "Starlette request": lambda carrier: SimpleNamespace(scope=carrier),
    "Flask request": lambda carrier: SimpleNamespace(environ=carrier),
    "Falcon request": lambda carrier: SimpleNamespace(env=carrier),
    "Django request": lambda carrier: SimpleNamespace(META=carrier, environ=None),
}


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("carrier", [http_scope(), environ()])
def test_finds_the_context(kind, carrier):
    ctx = AppContext()
    request = REQUESTS[kind](carrier | {KEY: ctx})
    assert AppContext.of(request) is ctx
    assert RequestContext.of(request) is ctx
    assert Context.of(request) is ctx


@pytest.mark.parametrize("kind", REQUESTS)
def test_another_class_raises_and_both_are_named(kind):
    with pytest.raises(WrongContext, match=r"GET /orders/17 carries OtherContext, not AppContext"):
        AppContext.of(REQUESTS[kind](http_scope() | {KEY: OtherContext()}))


@pytest.mark.parametrize(
    ("carrier", "line"),
    [
        (http_scope(), "GET /orders/17 carries no context"),
        ({"type": "websocket", "path": "/live"}, "WebSocket /live carries no context"),
        (environ(), "POST /shop/orders carries no context"),
        ({"type": "lifespan"}, "this request carries no context"),
        ({}, "this request carries no context"),
    ],
)
def test_missing_context_raises_with_the_request_line(carrier, line):
    """H15: method and path, without the query string."""
    with pytest.raises(ContextMissing, match=line) as raised:
        AppContext.of(carrier)
    assert "ctx.detach()" in str(raised.value)
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize("request_", [None, "request", 1, object(), SimpleNamespace(scope=1), MappingProxyType({})])
def test_what_is_no_request_raises(request_):
    with pytest.raises(ContextMissing, match=r"object is no request: of\(\) takes a request, an ASGI scope or a WSGI"):
        AppContext.of(request_)


def test_missing_context_looks_absent_to_hasattr():
    """Template engines and serializers ask with hasattr and getattr."""

    class Request:
        ctx = property(lambda self: AppContext.of({}))

    assert not hasattr(Request(), "ctx")
