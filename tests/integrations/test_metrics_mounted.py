"""``/metrics`` mounted as docs/observability.md says."""

from flask import Flask
from starlette.applications import Starlette
from starlette.testclient import TestClient
from werkzeug.middleware.dispatcher import DispatcherMiddleware

import starlette_poolware
from flask_poolware import Poolware
from poolware import RequestContext
from poolware.web import metrics


class Mounted(RequestContext):
    """Its pool is what is looked for."""


def test_starlette():
    app = Starlette()
    app.mount("/metrics", metrics.asgi_app)
    starlette_poolware.init_app(app, context=Mounted)
    answer = TestClient(app).get("/metrics/")
    assert answer.status_code == 200
    assert 'poolware_pool_in_use{kind="object",pool="Mounted' in answer.text


def test_flask():
    app = Flask("shop")
    Poolware(app, context=Mounted)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/metrics": metrics.wsgi_app})
    answer = app.test_client().get("/metrics")
    assert answer.status_code == 200
    assert 'poolware_pool_in_use{kind="object",pool="Mounted' in answer.text
