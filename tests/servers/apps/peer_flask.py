"""Flask without poolware: ``flask.g`` with ``teardown_request``, try/finally around the app, a closing iterator."""

from __future__ import annotations

from typing import Any

from apps import flask_app
from apps.control import WSGIControl
from apps.peer_state import pool
from flask import g
from werkzeug.wsgi import ClosingIterator

KEY = "peer.state"
flask_app.state_of = lambda request: request.environ.get(KEY) or g.state


def _with_g() -> Any:
    app = flask_app.make()

    @app.before_request
    def begin() -> None:
        g.state = pool.acquire()

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        pool.release(g.pop("state"))

    return app


def _with_try(environ: Any, start_response: Any) -> Any:
    environ[KEY] = state = pool.acquire()
    try:
        return _plain(environ, start_response)
    finally:
        pool.release(state)


def _with_close(environ: Any, start_response: Any) -> Any:
    """Released when the server closes the response, as it should be."""
    environ[KEY] = state = pool.acquire()
    try:
        result = _plain(environ, start_response)
    except BaseException:
        pool.release(state)
        raise
    return ClosingIterator(result, [lambda: pool.release(state)])


_plain = flask_app.make()
with_g = WSGIControl(_with_g())
with_try = WSGIControl(_with_try)
with_close = WSGIControl(_with_close)
