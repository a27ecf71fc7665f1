"""The WSGI middleware: what the application and the server see of it."""

import io
import sys
from wsgiref.handlers import SimpleHandler
from wsgiref.validate import validator

import pytest

from poolware import BodyTooLarge, BodyTruncated, ContextReleased, RequestContext
from poolware.web.body import read_body
from poolware.web.wsgi import PoolwareMiddleware

KEY = "poolware.ctx"


class AppContext(RequestContext):
    tenant: str = ""


class OtherContext(RequestContext):
    pass


def spam(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [AppContext.of(environ).tenant.encode() or b"spam"]


def serve_with_wsgiref(app, environ):
    """The standard library's server loop; returns the raw response."""
    output = io.BytesIO()
    handler = SimpleHandler(environ["wsgi.input"], output, sys.stderr, environ, multithread=False)
    handler.run(app)
    return output.getvalue()


def test_a_request_has_a_context_until_the_server_closes_the_response(call, make_environ):
    environ = make_environ()

    def app(environ, start_response):
        AppContext.of(environ).tenant = "acme"
        return spam(environ, start_response)

    answer = call(PoolwareMiddleware(app, context=AppContext), environ)
    assert answer.status == "200 OK"
    assert AppContext.of(environ).tenant == "acme"
    assert answer.read_and_close() == b"acme"
    assert KEY not in environ


def test_the_application_gets_the_servers_own_environ_and_start_response(make_environ):
    environ, start_response = make_environ(), object()

    def app(*got):
        assert got[0] is environ
        assert got[1] is start_response
        return []

    PoolwareMiddleware(app, context=AppContext)(environ, start_response).close()


def test_the_next_request_gets_the_same_context_pristine(call):
    seen = []

    def app(environ, start_response):
        ctx = AppContext.of(environ)
        seen.append((id(ctx), ctx.tenant))
        ctx.tenant = "acme"
        return spam(environ, start_response)

    middleware = PoolwareMiddleware(app, context=AppContext)
    for _ in range(2):
        call(middleware).read_and_close()
    assert [tenant for _, tenant in seen] == ["", ""]
    assert seen[0][0] == seen[1][0]


def test_a_streaming_response_sees_the_context_until_its_last_chunk(call, make_environ):
    """H19: the context ends with the stream, not with the handler."""

    def app(environ, start_response):
        start_response("200 OK", [])
        for number in range(3):
            yield f"{number}{AppContext.of(environ).tenant}".encode()
            AppContext.of(environ).tenant = "acme"

    environ = make_environ()
    assert call(PoolwareMiddleware(app, context=AppContext), environ).read_and_close() == b"01acme2acme"
    assert KEY not in environ


def test_the_write_callable_is_the_servers_own(make_environ):
    """H21: the context lives while the application writes by itself."""
    written = []

    def app(environ, start_response):
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"spam ")
        AppContext.of(environ).tenant = "acme"
        write(AppContext.of(environ).tenant.encode())
        return []

    environ = make_environ()
    PoolwareMiddleware(app, context=AppContext)(environ, lambda *_: written.append).close()
    assert written == [b"spam ", b"acme"]
    assert KEY not in environ


@pytest.mark.parametrize("error", [LookupError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_an_exception_in_the_application_passes_and_the_context_goes_back(call, make_environ, error):
    """H16: whatever is raised, workers' own SystemExit included."""
    environ = make_environ(PATH_INFO="/orders")

    def app(environ, start_response):
        ctx = AppContext.of(environ)
        raise error(ctx.tenant)

    with pytest.raises(error) as raised:
        call(PoolwareMiddleware(app, context=AppContext), environ)
    assert KEY not in environ
    with pytest.raises(ContextReleased, match="GET /orders"):
        _ = raised.traceback[-1].frame.f_locals["ctx"].tenant


def test_an_error_page_of_the_application_itself_sees_the_context(make_environ):
    """H16: start_response with exc_info goes to the server as it is."""

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        AppContext.of(environ).tenant = "acme"
        try:
            raise LookupError
        except LookupError:
            start_response("500 Oops", [("Content-Type", "text/plain")], sys.exc_info())
        return [AppContext.of(environ).tenant.encode()]

    response = serve_with_wsgiref(PoolwareMiddleware(app, context=AppContext), make_environ())
    assert b"500 Oops" in response
    assert response.endswith(b"acme")


def test_a_nested_middleware_leaves_the_request_to_the_outer_one(call):
    """H23: one owner; what the inner one returns is the application's own iterable."""
    answers = []
    inner = PoolwareMiddleware(spam, context=OtherContext)

    def app(environ, start_response):
        AppContext.of(environ).tenant = "acme"
        answers.append(inner(environ, start_response))
        return answers[0]

    outer = PoolwareMiddleware(app, context=AppContext)
    assert call(outer).read_and_close() == b"acme"
    assert type(answers[0]) is list
    assert inner.lifecycle.pool.get_stats().acquired == 0
    assert outer.lifecycle.pool.get_stats().released == 1


@pytest.mark.parametrize(
    ("error", "status"), [(BodyTooLarge, "413 Content Too Large"), (BodyTruncated, "400 Bad Request")]
)
def test_a_refused_body_is_answered_with_its_status(call, make_environ, error, status):
    """H41: the text says why."""
    environ = make_environ()

    def app(environ, start_response):
        AppContext.of(environ)
        msg = "at most 100 bytes"
        raise error(msg)

    answer = call(PoolwareMiddleware(app, context=AppContext), environ)
    assert answer.status == status
    assert answer.headers == {"Content-Type": "text/plain; charset=utf-8", "Content-Length": "18"}
    assert answer.read_and_close() == b"at most 100 bytes\n"
    assert KEY not in environ


def test_a_body_over_the_limit_is_answered_with_413_and_the_buffer_goes_back(call):
    """H41: end to end."""

    def app(environ, start_response):
        read_body(environ, limit=10)

    middleware = PoolwareMiddleware(app, context=AppContext)
    assert call(middleware, body=b"x" * 11, CONTENT_LENGTH="11").status == "413 Content Too Large"


def test_a_refusal_replaces_a_response_that_was_only_announced(make_environ):
    """H41: start_response was called, nothing was sent."""

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        raise BodyTruncated

    response = serve_with_wsgiref(PoolwareMiddleware(app, context=AppContext), make_environ())
    assert b"400 Bad Request" in response
    assert b"200 OK" not in response


def test_a_refusal_after_the_response_began_is_the_servers(call, make_environ):
    """H41: headers are out, so the error passes."""
    environ = make_environ()

    def app(environ, start_response):
        start_response("200 OK", [])(b"sent already")
        raise BodyTruncated

    with pytest.raises(BodyTruncated):
        call(PoolwareMiddleware(app, context=AppContext), environ)
    assert KEY not in environ


def test_a_list_keeps_its_length_for_the_servers_content_length(make_environ):
    response = serve_with_wsgiref(PoolwareMiddleware(spam, context=AppContext), make_environ())
    assert b"Content-Length: 4" in response


@pytest.mark.parametrize(("body", "length"), [([b"spam"], 1), ((b"a", b"b"), 2), ([], 0), (iter([b"spam"]), None)])
def test_what_had_a_length_has_it_still_and_nothing_else_gets_one(call, body, length):
    answer = call(PoolwareMiddleware(lambda *_: body, context=AppContext))
    assert (len(answer.body) if hasattr(answer.body, "__len__") else None) == length
    answer.read_and_close()


@pytest.mark.parametrize("stream", [False, True])
def test_the_middleware_keeps_to_pep_3333(make_environ, stream):
    """The standard library's validator on both sides."""

    def app(environ, start_response):
        body = spam(environ, start_response)
        return iter(body) if stream else body

    middleware = validator(PoolwareMiddleware(validator(app), context=AppContext))
    assert serve_with_wsgiref(middleware, make_environ(QUERY_STRING="")).endswith(b"spam")
