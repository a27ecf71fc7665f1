"""``AppContext.of(request)`` in each framework, and on a bare scope or environ; ``current(AppContext)`` anywhere."""

from __future__ import annotations

from typing import Annotated, Any, assert_type

import flask
from django.http import HttpRequest
from fastapi import FastAPI
from fastapi import Request as FastAPIRequest
from fastapi import WebSocket as FastAPIWebSocket
from flask.typing import ResponseReturnValue
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from poolware import RequestContext, SecretField, current, secret
from poolware.web.asgi import Receive, Scope, Send
from poolware.web.wsgi import Environ
from starlette_poolware.fastapi import from_request


class AppContext(RequestContext):
    tenant: str = ""
    token: SecretField = secret()


class Derived(AppContext):
    cart: int = 0


async def starlette(request: Request, websocket: WebSocket, connection: HTTPConnection) -> None:
    assert_type(AppContext.of(request), AppContext)
    assert_type(AppContext.of(websocket), AppContext)
    assert_type(AppContext.of(connection).tenant, str)
    assert_type(Derived.of(request), Derived)
    _ = request.ctx  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]


async def fastapi_by_hand(request: FastAPIRequest, websocket: FastAPIWebSocket) -> None:
    assert_type(AppContext.of(request), AppContext)
    assert_type(AppContext.of(websocket).token.reveal(), bytes)


app = FastAPI()
CtxDep = Annotated[AppContext, from_request(AppContext)]


@app.get("/")
async def fastapi_dependency(ctx: Annotated[AppContext, from_request(AppContext)]) -> dict[str, str]:
    assert_type(ctx, AppContext)
    ctx.token = "open sesame"
    return {"tenant": ctx.tenant}


@app.websocket("/ws")
async def fastapi_dependency_by_alias(websocket: FastAPIWebSocket, ctx: CtxDep) -> None:
    assert_type(ctx.tenant, str)


@app.get("/default")
def fastapi_dependency_as_default(ctx: AppContext = from_request(AppContext)) -> None:  # noqa: B008 - the older form
    assert_type(ctx, AppContext)


from_request(dict)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
from_request(AppContext())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def flask_view() -> ResponseReturnValue:
    assert_type(AppContext.of(flask.request), AppContext)
    return AppContext.of(flask.request).tenant


def django_view(request: HttpRequest) -> None:
    assert_type(AppContext.of(request), AppContext)
    AppContext.of(request).tenant = "acme"


async def bare_asgi(scope: Scope, receive: Receive, send: Send) -> None:
    assert_type(AppContext.of(scope), AppContext)


def bare_wsgi(environ: Environ, start_response: Any) -> list[bytes]:
    assert_type(AppContext.of(environ), AppContext)
    return []


def anywhere() -> str:
    assert_type(current(AppContext), AppContext)
    return current(Derived).tenant


current(dict)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
