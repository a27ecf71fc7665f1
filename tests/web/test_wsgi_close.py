"""The WSGI middleware: however a server treats the response, the request ends once."""

import gc

import pytest

from poolware import RequestContext
from poolware.web.wsgi import PoolwareMiddleware

KEY = "poolware.ctx"


class AppContext(RequestContext):
    tenant: str = ""


class Response:
    """An iterable with a close of its own, which notes what it finds."""

    def __init__(self, environ, error=None):
        self.environ, self.error = environ, error
        self.found = []

    def __iter__(self):
        return iter([b"spam"])

    def close(self):
        self.found.append(AppContext.of(self.environ).tenant)
        if self.error is not None:
            raise self.error


def serving(make_response):
    """A middleware around an application that returns what `make_response` makes of the environ."""

    def app(environ, start_response):
        AppContext.of(environ).tenant = "acme"
        AppContext.of(environ).buffer(100)
        start_response("200 OK", [])
        return make_response(environ)

    return PoolwareMiddleware(app, context=AppContext)


def test_the_applications_own_close_comes_first_and_sees_the_context(call, make_environ):
    """H20: teardown code reads request.ctx."""
    environ, made = make_environ(), []

    def make_response(environ):
        made.append(Response(environ))
        return made[0]

    assert call(serving(make_response), environ).read_and_close() == b"spam"
    assert made[0].found == ["acme"]
    assert KEY not in environ


def test_a_close_that_raises_still_ends_the_request(call, make_environ):
    """H20: the error is the server's to see."""
    environ = make_environ()
    answer = call(serving(lambda environ: Response(environ, OSError("disk full"))), environ)
    with pytest.raises(OSError, match="disk full"):
        answer.body.close()
    assert KEY not in environ


def test_close_called_twice_closes_and_ends_once(call):
    made = []

    def make_response(environ):
        made.append(Response(environ))
        return made[0]

    middleware = serving(make_response)
    answer = call(middleware)
    answer.body.close()
    answer.body.close()
    assert made[0].found == ["acme"]
    assert middleware.lifecycle.pool.get_stats().released == 1


def test_a_generator_closed_before_it_started(call, make_environ):
    """H20: the server found the client gone before the first chunk."""

    def stream():
        yield b"never"

    environ = make_environ()
    call(serving(lambda _environ: stream()), environ).body.close()
    assert KEY not in environ


def test_a_generator_closed_in_the_middle_cleans_up_with_the_context(call, make_environ):
    """H17: the client left mid-stream."""
    found = []

    def stream(environ):
        try:
            yield b"first"
            yield b"second"
        finally:
            found.append(AppContext.of(environ).tenant)

    environ = make_environ()
    answer = call(serving(stream), environ)
    assert next(iter(answer.body)) == b"first"
    answer.body.close()
    assert found == ["acme"]
    assert KEY not in environ


def test_an_exception_in_the_stream_passes_and_close_ends_the_request(call, make_environ):
    """H16: the server closes after an error too."""

    def stream():
        yield b"first"
        raise LookupError

    environ = make_environ()
    answer = call(serving(lambda _environ: stream()), environ)
    with pytest.raises(LookupError):
        answer.read_and_close()
    assert KEY not in environ


@pytest.mark.parametrize("chunks_read", [0, 1, 2])
def test_an_abandoned_response_ends_the_request_when_it_is_collected(call, make_environ, chunks_read):
    """H20: a server that never calls close()."""
    environ = make_environ()
    closed = []

    def stream():
        try:
            yield b"first"
            yield b"second"
        finally:
            closed.append(KEY in environ)

    middleware = serving(lambda _environ: stream())
    answer = call(middleware, environ)
    iterator = iter(answer.body)
    for _ in range(chunks_read):
        next(iterator)
    assert KEY in environ

    del answer, iterator
    gc.collect()

    assert KEY not in environ
    assert closed == ([True] if chunks_read else [])
    assert middleware.lifecycle.pool.get_stats().released == 1


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_a_response_whose_body_is_never_read(call, make_environ, method):
    """H21: 304 and HEAD, where the server only closes."""
    environ = make_environ(REQUEST_METHOD=method)
    answer = call(serving(Response), environ)
    answer.body.close()
    assert KEY not in environ


def test_a_closed_response_does_not_end_the_next_request_of_the_same_environ(call, make_environ):
    """H23: a middleware further out calls the application again, as after a conflict or for an internal redirect."""
    environ = make_environ()
    middleware = serving(lambda _environ: [b"spam"])
    answer = call(middleware, environ)
    answer.body.close()

    answer.body = call(middleware, environ).body  # the first response is collected here

    assert AppContext.of(environ).tenant == "acme"
    answer.body.close()
    assert KEY not in environ
    assert middleware.lifecycle.pool.get_stats().released == 2


@pytest.mark.parametrize(
    "outer",
    [
        lambda app: lambda environ, start: (piece.upper() for piece in app(environ, start)),
        lambda app: lambda environ, start: map(bytes.upper, app(environ, start)),
        lambda app: lambda environ, start: [piece.upper() for piece in app(environ, start)],
    ],
    ids=["generator", "map", "list"],
)
@pytest.mark.parametrize("kind", ["generator", "list"])
def test_an_outer_middleware_that_keeps_only_the_iterator(outer, kind, make_environ):
    """H20: the request lasts until the last piece, although nobody holds what the application returned."""
    environ = make_environ()

    def make_response(environ):
        pieces = (AppContext.of(environ).tenant.encode() for _ in range(2))
        return pieces if kind == "generator" else list(pieces)

    middleware = serving(make_response)
    assert b"".join(outer(middleware)(environ, lambda *_: None)) == b"ACMEACME"
    gc.collect()
    assert KEY not in environ
    assert middleware.lifecycle.pool.get_stats().released == 1
