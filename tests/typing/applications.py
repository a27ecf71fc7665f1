"""Putting poolware around an application: the options are checked wherever they are given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, assert_type

from django.http import HttpRequest
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request as StarletteRequest

import django_poolware
import flask_poolware
import starlette_poolware
from poolware import Buffer, BufferPool, Lifecycle, ObjectPool, RequestContext
from poolware.web import asgi, wsgi


class AppContext(RequestContext):
    tenant: str = ""


async def asgi_app(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None: ...
def wsgi_app(environ: wsgi.Environ, start_response: wsgi.StartResponse) -> Iterable[bytes]:
    return []


def lifecycles() -> None:
    lifecycle = Lifecycle(AppContext, prewarm=8, buffers=BufferPool())
    assert_type(lifecycle, Lifecycle[AppContext])
    assert_type(lifecycle.pool, ObjectPool[AppContext])
    assert_type(lifecycle.begin({}), AppContext)
    assert_type(Lifecycle().begin({}), RequestContext)
    Lifecycle(dict)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]


def starlette() -> None:
    app = Starlette()
    assert_type(starlette_poolware.init_app(app, context=AppContext), Lifecycle[Any])
    starlette_poolware.init_app(app, Lifecycle(AppContext))
    app.add_middleware(starlette_poolware.PoolwareMiddleware, context=AppContext, prewarm=8)
    Starlette(middleware=[Middleware(starlette_poolware.PoolwareMiddleware, context=AppContext)])
    starlette_poolware.init_app(FastAPI(), context=AppContext)
    starlette_poolware.init_app(app, contxt=AppContext)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    starlette_poolware.init_app(app, context=dict)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    starlette_poolware.init_app(asgi_app)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def flask() -> None:
    app = Flask("shop")
    assert_type(flask_poolware.Poolware(context=AppContext).init_app(app), Lifecycle[Any])
    flask_poolware.Poolware(app, context=AppContext)
    flask_poolware.Poolware(app, prewarm="8")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def anything_else() -> None:
    served: asgi.ASGIApp = asgi.PoolwareMiddleware(asgi_app, context=AppContext)
    answered: wsgi.WSGIApp = wsgi.PoolwareMiddleware(wsgi_app, context=AppContext)
    asgi.PoolwareMiddleware(wsgi_app)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    wsgi.PoolwareMiddleware(answered, leak_detection="some")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    asgi.PoolwareMiddleware(served)


async def bodies(starlette_request: StarletteRequest, django_request: HttpRequest) -> None:
    assert_type(await starlette_poolware.read_body(starlette_request, limit=1024), Buffer)
    assert_type(django_poolware.read_body(django_request, limit=1024), Buffer)
    assert_type(django_poolware.lifecycle(), Lifecycle[Any])
