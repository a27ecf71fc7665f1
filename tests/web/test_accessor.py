"""``request.ctx``: where it comes from, and whose name it is."""

import logging

import pytest

from poolware import ContextMissing, Lifecycle, RequestContext
from poolware.web.accessor import ContextAttribute, install


class AppContext(RequestContext):
    tenant: str = ""


def new_request_class():
    class Request:
        def __init__(self, scope):
            self.scope = scope

    return Request


def test_it_reads_the_context_that_the_request_carries():
    lifecycle, request_class = Lifecycle(AppContext), new_request_class()
    install(request_class)
    request = request_class({"type": "http"})
    ctx = lifecycle.begin(request.scope)
    assert request.ctx is ctx
    del ctx
    lifecycle.finish(request.scope)


def test_without_a_middleware_it_says_what_is_missing():
    request_class = new_request_class()
    install(request_class)
    request = request_class({"type": "http", "method": "GET", "path": "/orders"})
    with pytest.raises(ContextMissing, match=r"GET /orders carries no context\. Either the poolware middleware is not"):
        _ = request.ctx
    assert not hasattr(request, "ctx")


def test_after_the_end_it_points_at_detach():
    lifecycle, request_class = Lifecycle(AppContext), new_request_class()
    install(request_class)
    request = request_class({"type": "http", "method": "GET", "path": "/orders"})
    lifecycle.begin(request.scope)
    lifecycle.finish(request.scope)
    with pytest.raises(ContextMissing, match=r"the response has ended.*use ctx\.detach\(\)"):
        _ = request.ctx


def test_on_the_class_it_is_the_attribute_itself():
    request_class = new_request_class()
    install(request_class)
    assert isinstance(request_class.ctx, ContextAttribute)


def test_installing_twice_and_on_subclasses_is_quiet(caplog):
    request_class = new_request_class()
    subclass = type("SubRequest", (request_class,), {})
    for each in (request_class, request_class, subclass):
        install(each)
    assert caplog.messages == []
    assert subclass.ctx is request_class.ctx


def test_an_instances_own_attribute_goes_first():
    request_class = new_request_class()
    install(request_class)
    request = request_class({})
    request.ctx = "my own"
    assert request.ctx == "my own"


@pytest.mark.parametrize("own", [property(lambda _self: "my own"), "my own", None], ids=["property", "value", "None"])
def test_an_existing_attribute_stays_and_is_reported(caplog, own):
    """A placeholder that is None is the user's name too."""
    request_class = new_request_class()
    request_class.ctx = own
    with caplog.at_level(logging.WARNING, "poolware"):
        install(request_class)
    assert vars(request_class)["ctx"] is own
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "Request has an attribute ctx of its own" in caplog.text
    assert "YourContext.of(request)" in caplog.text
