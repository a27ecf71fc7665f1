"""What docs/howto/rollout.md shows leaves a request out on every framework, and the application works on both sides."""

from __future__ import annotations

import asyncio
import re
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import flask
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import override_settings
from django.urls import re_path
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from werkzeug.test import Client

import django_poolware
import flask_poolware
import starlette_poolware
from poolware import RequestContext
from poolware.web import asgi, wsgi

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "rollout.md"


class AppContext(RequestContext):
    tenant: str = ""


def answer(request):
    """Use the context and a buffer; tell what was in them."""
    ctx = AppContext.of(request)
    ctx.tenant += "acme"
    ctx.buffer(100).write(b"x")
    return ctx.tenant


async def starlette_view(request):
    return PlainTextResponse(answer(request))


def django_view(request):
    return HttpResponse(answer(request))


urlpatterns = [re_path("", django_view)]


def on_starlette(rollout):
    app = Starlette(routes=[Route("/{page}", starlette_view)])
    lifecycle = starlette_poolware.init_app(app, context=AppContext)
    return TestClient(rollout.asgi_rollout(app, AppContext, is_pooled)), lifecycle


def on_asgi(rollout):
    async def app(scope, receive, send):
        await PlainTextResponse(answer(scope))(scope, receive, send)

    middleware = asgi.PoolwareMiddleware(app, context=AppContext)
    return TestClient(rollout.asgi_rollout(middleware, AppContext, is_pooled)), middleware.lifecycle


def on_wsgi(rollout):
    def app(environ, start_response):
        text = answer(environ).encode()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
        return [text]

    middleware = wsgi.PoolwareMiddleware(app, context=AppContext)
    return Client(rollout.wsgi_rollout(middleware, AppContext, is_pooled)), middleware.lifecycle


def on_flask(rollout):
    app = flask.Flask(__name__)
    flask_poolware.Poolware(app, context=AppContext)
    app.add_url_rule("/<page>", view_func=lambda page: answer(flask.request))
    app.wsgi_app = rollout.wsgi_rollout(app.wsgi_app, AppContext, is_pooled)
    return app.test_client(), app.extensions["poolware"]


def on_django(handler, around, client):
    with override_settings(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=["django_poolware.middleware.PoolwareMiddleware"],
        POOLWARE={"CONTEXT": AppContext},
    ):
        yield client(around(handler(), AppContext, is_pooled)), django_poolware.lifecycle()


def is_pooled(path):
    return not path.startswith("/health")


@pytest.fixture
def rollout() -> Any:
    (block,) = re.findall(
        r'^```python title="shop/rollout.py"\n(.*?)\n```', PAGE.read_text(), flags=re.DOTALL | re.MULTILINE
    )
    names: dict[str, Any] = {}
    exec(compile(block, str(PAGE), "exec"), names)
    return SimpleNamespace(**names)


@pytest.fixture(params=["asgi", "wsgi", "starlette", "flask", "django asgi", "django wsgi"])
def served(request, rollout):
    match request.param.split():
        case ["django", "asgi"]:
            yield from on_django(ASGIHandler, rollout.asgi_rollout, TestClient)
        case ["django", "wsgi"]:
            yield from on_django(WSGIHandler, rollout.wsgi_rollout, Client)
        case [kind]:
            yield {"asgi": on_asgi, "wsgi": on_wsgi, "starlette": on_starlette, "flask": on_flask}[kind](rollout)


def test_what_is_left_out_is_not_reused(served):
    """Both sides find a pristine context; only the pool of those that are chosen is asked."""
    client, lifecycle = served
    for path in ("/orders", "/health", "/orders", "/health", "/orders"):
        with closing(client.get(path)) as response:
            assert (response.status_code, response.text) == (200, "acme")
    contexts, buffers = lifecycle.pool.get_stats(), lifecycle.buffers.get_stats()
    assert (contexts.acquired, contexts.in_use, contexts.hits) == (3, 0, 2)
    assert (buffers.acquired, buffers.in_use, buffers.hits) == (3, 0, 2)


def test_nothing_stays_of_what_is_left_out(rollout):
    kept = []

    async def app(scope, receive, send):
        kept.append(AppContext.of(scope)._home)
        answer(scope)

    middleware = rollout.asgi_rollout(app, AppContext, is_pooled)
    client = TestClient(middleware, raise_server_exceptions=False)
    for _ in range(3):
        client.get("/health")
    (lifecycle,) = set(kept)
    assert (lifecycle.pool.get_stats().acquired, lifecycle.pool.get_stats().idle) == (3, 0)
    assert (lifecycle.buffers.get_stats().acquired, lifecycle.buffers.get_stats().idle_bytes) == (3, 0)


async def pass_through(scope, _receive, _send):
    scope["seen"] = True


@pytest.mark.parametrize("kind", ["lifespan", "another"])
def test_what_is_no_request_passes_through(rollout, kind):
    scope = {"type": kind}
    asyncio.run(rollout.asgi_rollout(pass_through, AppContext)(scope, None, None))
    assert scope == {"type": kind, "seen": True}


def test_the_share_is_drawn_anew_for_each_request(rollout, monkeypatch):
    draws = iter([0.04, 0.06, 0.0])
    monkeypatch.setattr("random.random", lambda: next(draws))
    assert [rollout.is_pooled("/orders") for _ in range(3)] == [True, False, True]
    assert not rollout.is_pooled("/reports/7")
