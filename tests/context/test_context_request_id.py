"""request_id: the client's if it is harmless, else one of our own, made when first asked for."""

import re

import pytest
from requests_sample import AppContext, http_scope

from poolware import ObjectPool, RequestContext

POOL = ObjectPool(AppContext)
VALID = ["a", "A-Za-z0-9._~:+/=@-", "0" * 128, "550e8400-e29b-41d4-a716-446655440000", "a/b+c=="]
INVALID = [
    "",
    " ",
    "a b",
    "0" * 129,
    "a\nb",
    "a\r\nset-cookie: x",
    "abc\n",
    "ä",
    "é",
    "<b>",
    "a;b",
    "a,b",
    "\0",
    "a%20b",
]


def request_id_of(carrier):
    ctx = POOL._kind.cycle.begin(carrier)
    try:
        return ctx.request_id
    finally:
        del ctx
        POOL._kind.cycle.finish(carrier)


CARRIERS = {
    "ASGI": lambda value: http_scope("/", (b"host", b"x"), (b"x-request-id", value.encode("latin-1"))),
    "WSGI": lambda value: {"REQUEST_METHOD": "GET", "HTTP_X_REQUEST_ID": value},
}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("value", VALID)
def test_harmless_id_of_the_client_is_kept(carrier, value):
    assert request_id_of(CARRIERS[carrier](value)) == value


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("value", INVALID)
def test_other_id_of_the_client_is_replaced(carrier, value):
    """H15 H38: what ends up in logs and headers can break neither."""
    assert re.fullmatch("[0-9a-f]{32}", request_id_of(CARRIERS[carrier](value)))


@pytest.mark.parametrize("carrier", [{}, {"type": "http", "headers": ()}, {"headers": None}])
def test_id_of_our_own_without_one_of_the_client(carrier):
    assert re.fullmatch("[0-9a-f]{32}", request_id_of(carrier))


def test_first_of_several_headers_counts():
    assert request_id_of(http_scope("/", (b"x-request-id", b"first"), (b"x-request-id", b"second"))) == "first"


def test_made_when_first_asked_for_and_then_kept():
    ctx = RequestContext()
    assert ctx._request_id is None
    assert ctx.request_id == ctx.request_id
    assert ctx._request_id == ctx.request_id


def test_each_request_has_its_own():
    assert request_id_of(http_scope()) != request_id_of(http_scope())


def test_id_of_the_application_wins():
    ctx = RequestContext()
    ctx.request_id = "ours"
    assert ctx.request_id == "ours"
