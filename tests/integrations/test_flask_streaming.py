"""H19, H20: on Flask the context lives until the server closes the response."""

import gc
import io

import pytest
from flask import Flask, Response, request, send_file, stream_with_context
from werkzeug.test import EnvironBuilder, run_wsgi_app

from flask_poolware import Poolware
from poolware import RequestContext

KEY = "poolware.ctx"


class AppContext(RequestContext):
    tenant: str = ""


@pytest.fixture
def app():
    app = Flask("shop")
    Poolware(app, context=AppContext)
    return app


def stats_of(app):
    return app.extensions["poolware"].pool.get_stats()


def test_a_stream_sees_the_context_until_its_last_chunk(app):
    """H19: Flask's own teardown comes before the first chunk."""
    order = []

    @app.teardown_request
    def teardown(_error):
        order.append("teardown")

    @app.get("/")
    def home():
        ctx = request.ctx

        def chunks():
            for number in range(3):
                order.append(number)
                yield f"{number}{ctx.tenant} "
                ctx.tenant = "acme"

        return Response(chunks())

    assert app.test_client().get("/").text == "0 1acme 2acme "
    assert order == ["teardown", 0, 1, 2]


def test_stream_with_context(app):
    """H19: teardown fires twice there, before the stream too with newer versions of Flask; the context ends once."""
    teardown = []
    app.teardown_request(lambda _error: teardown.append(request.ctx.tenant))

    @app.get("/")
    def home():
        @stream_with_context
        def chunks():
            for number in range(3):
                yield f"{number}{request.ctx.tenant} "
                request.ctx.tenant = "acme"

        return Response(chunks())

    assert app.test_client().get("/").text == "0 1acme 2acme "
    assert teardown[-1] == "acme"
    stats = stats_of(app)
    assert (stats.released, stats.refused) == (1, 0)


@pytest.mark.parametrize("chunks_read", [0, 1])
@pytest.mark.parametrize("closed", [True, False])
def test_a_stream_that_nobody_reads_to_its_end(app, chunks_read, closed):
    """H20: closed early, or neither closed nor read: then when it is collected."""

    @app.get("/")
    def home():
        @stream_with_context
        def chunks():
            yield b"first"
            yield request.ctx.tenant.encode()

        return Response(chunks())

    environ = EnvironBuilder("/").get_environ()
    body = app(environ, lambda *_: None)
    for _ in range(chunks_read):
        next(iter(body))
    assert KEY in environ
    if closed:
        body.close()
    del body
    gc.collect()
    assert KEY not in environ


def test_call_on_close_has_the_context(app):
    """H20: werkzeug's closers come before the end of the request."""
    seen = []

    @app.get("/")
    def home():
        request.ctx.tenant = "acme"
        response = Response("spam")
        environ = request.environ
        response.call_on_close(lambda: seen.append(AppContext.of(environ).tenant))
        return response

    app.test_client().get("/").close()
    assert seen == ["acme"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file(app, method):
    """H21: send_file uses the server's wsgi.file_wrapper."""
    file = io.BytesIO(b"spam" * 10_000)

    @app.get("/")
    def home():
        request.ctx.tenant = "acme"
        return send_file(file, "text/plain")

    response = app.test_client().open("/", method=method)
    assert response.data == (b"spam" * 10_000 if method == "GET" else b"")
    response.close()
    assert file.closed


def test_a_response_that_is_not_buffered_by_the_client(app):
    """H19: the test client closes when the response is closed, as a server does."""

    @app.get("/")
    def home():
        return stream_with_context(request.ctx.tenant + "x" for _ in range(2))

    response = run_wsgi_app(app, EnvironBuilder("/").get_environ(), buffered=False)
    assert stats_of(app).in_use == 1
    assert b"".join(response[0]) == b"xx"
    response[0].close()
    assert stats_of(app).in_use == 0
