"""read_body: a WSGI request's body in a pooled buffer, with a limit."""

import io

import pytest

from poolware import (
    BadOption,
    BodyError,
    BodyInvalid,
    BodyTooLarge,
    BodyTruncated,
    BufferPool,
    ContextMissing,
    Lifecycle,
)
from poolware.web.body import read_body
from poolware.web.wsgi import PoolwareMiddleware

KIB, MIB = 1024, 1024 * 1024


class CountingInput(io.BytesIO):
    """Counts the bytes that were taken from the connection; gives a few at a time, as sockets do."""

    def __init__(self, body, at_most=None):
        super().__init__(body)
        self.taken, self.at_most = 0, at_most

    def read(self, size=-1):
        assert size >= 0, "a read without a size waits for the connection to end"
        data = super().read(size if self.at_most is None else min(size, self.at_most))
        self.taken += len(data)
        return data


class BlockedInput:
    """A connection without a body that is kept alive: whoever reads it waits for ever."""

    def read(self, _size=-1):
        raise AssertionError


@pytest.fixture
def lifecycle():
    return Lifecycle()


@pytest.fixture
def request_with(lifecycle, make_environ):
    """An environ with a context, which is finished after the test."""
    begun = []

    def begin(body=b"", **keys):
        environ = make_environ(body=body, **keys)
        lifecycle.begin(environ)
        begun.append(environ)
        return environ

    yield begin
    for environ in begun:
        lifecycle.finish(environ)


@pytest.mark.parametrize("size", [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 300_000])
def test_the_body_is_read_and_the_position_is_at_the_start(request_with, size):
    content = bytes(range(256)) * (size // 256 + 1)
    environ = request_with(content[:size], CONTENT_LENGTH=str(size))
    body = read_body(environ, limit=MIB)
    assert (len(body), body.tell()) == (size, 0)
    assert body.read() == content[:size]


def test_a_body_that_comes_in_small_pieces(request_with):
    environ = request_with(CONTENT_LENGTH="1000", **{"wsgi.input": CountingInput(b"x" * 1000, at_most=7)})
    assert read_body(environ, limit=1000).getvalue() == b"x" * 1000


def test_only_the_announced_bytes_are_taken(request_with):
    """H41: what follows on the connection is the next request's."""
    source = CountingInput(b"spamGET / HTTP/1.1")
    environ = request_with(CONTENT_LENGTH="4", **{"wsgi.input": source})
    assert read_body(environ, limit=100).getvalue() == b"spam"
    assert source.taken == 4


@pytest.mark.parametrize("headers", [{}, {"CONTENT_LENGTH": ""}])
def test_without_a_length_there_is_no_body_and_nothing_is_read(request_with, headers):
    """H41: PEP 3333; a read would wait for ever."""
    environ = request_with(**{"wsgi.input": BlockedInput()}, **headers)
    assert len(read_body(environ, limit=100)) == 0


def test_a_chunked_body_is_read_to_its_end_where_the_server_ends_it(request_with):
    """H41: ``wsgi.input_terminated``."""
    environ = request_with(b"x" * 100_000, **{"wsgi.input_terminated": True})
    assert len(read_body(environ, limit=MIB)) == 100_000


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_exactly_the_limit_is_taken(request_with, chunked):
    keys = {"wsgi.input_terminated": True} if chunked else {"CONTENT_LENGTH": "100"}
    assert len(read_body(request_with(b"x" * 100, **keys), limit=100)) == 100


def test_an_announced_body_over_the_limit_is_refused_unread(request_with):
    """H41: 413 with both numbers."""
    environ = request_with(CONTENT_LENGTH="101", **{"wsgi.input": BlockedInput()})
    with pytest.raises(BodyTooLarge, match="has 101 bytes; at most 100 are taken") as raised:
        read_body(environ, limit=100)
    assert raised.value.status == 413


@pytest.mark.parametrize("limit", [0, 100, 200_000])
def test_a_chunked_body_over_the_limit_is_refused_soon(request_with, limit):
    """H41: at most the limit and one chunk were read."""
    source = CountingInput(b"x" * MIB)
    environ = request_with(**{"wsgi.input": source, "wsgi.input_terminated": True})
    with pytest.raises(BodyTooLarge, match=f"more than {limit} bytes"):
        read_body(environ, limit=limit)
    assert source.taken <= limit + 64 * KIB


@pytest.mark.parametrize("received", [0, 1, 99])
def test_a_body_that_ends_early_is_refused(request_with, received):
    """H41: 400 with both numbers."""
    environ = request_with(b"x" * received, CONTENT_LENGTH="100")
    with pytest.raises(BodyTruncated, match=f"ended after {received} of 100 bytes") as raised:
        read_body(environ, limit=100)
    assert raised.value.status == 400


@pytest.mark.parametrize(
    "value", ["-1", "+5", "1.0", "0x10", "1_000", "five", "5, 5", "5,6", " ", " 5", "\u0665", "\u00b2", "1e3", "5\r\n"]
)
def test_a_content_length_that_is_no_number_of_bytes_is_refused(request_with, value):
    """H41: request smuggling lives on lenient lengths."""
    environ = request_with(CONTENT_LENGTH=value, **{"wsgi.input": BlockedInput()})
    with pytest.raises(BodyInvalid, match="is no number of bytes") as raised:
        read_body(environ, limit=100)
    assert raised.value.status == 400


@pytest.mark.parametrize("digits", [20, 4300, 5000, 60_000])
def test_a_content_length_with_very_many_digits_is_too_large(request_with, digits):
    """H42: Python refuses to convert more than 4300 digits, with a ValueError that would be answered with 500."""
    environ = request_with(CONTENT_LENGTH="9" * digits, **{"wsgi.input": BlockedInput()})
    with pytest.raises(BodyTooLarge) as raised:
        read_body(environ, limit=100)
    assert len(str(raised.value)) < 150


def test_a_content_length_with_leading_zeros_is_the_number_it_says(request_with):
    assert read_body(request_with(b"spam", CONTENT_LENGTH="0" * 10 + "4"), limit=100).getvalue() == b"spam"


def test_a_long_header_is_not_repeated_in_the_message(request_with):
    """H15: error messages have a bound."""
    with pytest.raises(BodyInvalid) as raised:
        read_body(request_with(CONTENT_LENGTH="x" * 60_000), limit=100)
    assert len(str(raised.value)) < 150


def test_a_large_announcement_reserves_little(request_with, lifecycle):
    """H42: memory is taken as bytes arrive, not on the client's word."""
    environ = request_with(b"spam", CONTENT_LENGTH=str(10 * MIB))
    with pytest.raises(BodyTruncated):
        read_body(environ, limit=64 * MIB)
    lifecycle.finish(environ)
    assert lifecycle.buffers.get_stats().idle_bytes <= MIB


def test_the_buffer_goes_back_with_the_request_and_holds_nothing(request_with, lifecycle):
    """H09: the next request finds zeros."""
    environ = request_with(b"card=4111", CONTENT_LENGTH="9")
    body = read_body(environ, limit=100)
    lifecycle.finish(environ)
    assert body.closed
    stats = lifecycle.buffers.get_stats()
    assert (stats.in_use, stats.idle) == (0, 1)
    with lifecycle.buffers.lease(9) as following:
        assert not any(following.view())


@pytest.mark.parametrize("limit", [-1, True, 1.5, "100", None])
def test_a_limit_that_is_no_size_is_an_error_that_names_it(request_with, limit):
    """H40: and no refusal of the body, which would blame the client."""
    with pytest.raises(BadOption, match=r"^limit=.*a whole number of at least 0") as raised:
        read_body(request_with(b"spam", CONTENT_LENGTH="4"), limit=limit)
    assert not isinstance(raised.value, BodyError)


def test_without_a_context_the_middleware_is_missing(make_environ):
    with pytest.raises(ContextMissing):
        read_body(make_environ(b"spam", CONTENT_LENGTH="4"), limit=100)


def test_a_body_that_the_buffers_cannot_hold_is_too_large(call):
    """H42: a limit above the pool's max_size; the client is told 413, not 500."""

    def app(environ, start_response):
        read_body(environ, limit=MIB)

    middleware = PoolwareMiddleware(app, buffers=BufferPool(tiers=[KIB], max_size=KIB))
    assert call(middleware, body=b"x" * 2000, CONTENT_LENGTH="2000").status == "413 Content Too Large"
