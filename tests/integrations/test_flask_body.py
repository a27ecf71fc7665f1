"""flask_poolware.read_body: a pooled request body with a limit."""

import io

import pytest
from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge

from flask_poolware import Poolware, read_body
from poolware import BadOption, BodyTooLarge
from poolware.web.body import read_body as read_wsgi_body

LIMIT = 100


@pytest.fixture
def app():
    app = Flask("shop")
    Poolware(app)

    @app.post("/")
    def echo():
        return read_body(request, limit=LIMIT).getvalue()

    return app


@pytest.mark.parametrize("content", [b"", b"spam", b"x" * LIMIT])
def test_a_body_up_to_the_limit(app, content):
    assert app.test_client().post("/", data=content).data == content
    stats = app.extensions["poolware"].buffers.get_stats()
    assert (stats.acquired, stats.in_use) == (1, 0)


def test_a_chunked_body_where_the_server_ends_it(app):
    keys = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    response = app.test_client().post("/", input_stream=io.BytesIO(b"x" * LIMIT), environ_overrides=keys)
    assert response.data == b"x" * LIMIT
    response = app.test_client().post("/", input_stream=io.BytesIO(b"x" * 101), environ_overrides=keys)
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("length", "status"), [("101", 413), ("9" * 5000, 413), ("50", 400), ("-4", 400), ("four", 400)]
)
def test_a_refused_body_is_answered_with_its_status(app, length, status):
    """H41, H42: over the limit, longer than the body, negative, no number."""
    response = app.test_client().post("/", data=b"spam", environ_overrides={"CONTENT_LENGTH": length})
    assert response.status_code == status


def test_the_applications_own_error_page_is_used(app):
    """H16: with the context, and the reason."""

    @app.errorhandler(413)
    def page(error):
        assert isinstance(error, RequestEntityTooLarge)
        assert isinstance(error.__cause__, BodyTooLarge)
        return f"{request.ctx.request_id}: {error.description}", 413

    response = app.test_client().post("/", data=b"x" * 101, headers={"X-Request-ID": "r-1"})
    assert response.text == "r-1: the request's body has 101 bytes; at most 100 are taken"


def test_a_wrong_limit_is_the_programmers_error(app):
    """H40."""
    app.testing = True

    @app.post("/wrong")
    def wrong():
        return read_body(request, limit=True).getvalue()

    with pytest.raises(BadOption, match=r"^limit=True"):
        app.test_client().post("/wrong", data=b"spam")


@pytest.mark.parametrize(("handled", "text"), [(False, "<!doctype html>"), (True, "my page: ")])
def test_the_applications_own_handler_goes_first(app, handled, text):
    """H41: one for poolware's error is more specific than the page for its status."""

    @app.post("/core")
    def core():
        return read_wsgi_body(request.environ, limit=1).getvalue()

    if handled:
        app.register_error_handler(BodyTooLarge, lambda error: (f"my page: {error}", error.status))
    response = app.test_client().post("/core", data=b"spam")
    assert response.status_code == 413
    assert response.text.startswith(text)
