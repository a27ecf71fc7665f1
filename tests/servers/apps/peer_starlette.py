"""Starlette and FastAPI without poolware: try/finally around the app, and a dependency with ``yield``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from apps import starlette_app
from apps.control import ASGIControl
from apps.peer_state import pool
from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

KEY = "peer.state"
starlette_app.state_of = lambda connection: connection.scope[KEY]


async def _with_try(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _plain(scope, receive, send)
        return
    scope[KEY] = state = pool.acquire()
    try:
        await _plain(scope, receive, send)
    finally:
        pool.release(state)


async def begin(connection: HTTPConnection) -> AsyncIterator[None]:
    connection.scope[KEY] = state = pool.acquire()
    try:
        yield
    finally:
        pool.release(state)


begin.__annotations__["connection"] = HTTPConnection
_plain = starlette_app.make()
_fastapi = FastAPI(dependencies=[Depends(begin)])
_fastapi.add_api_route("/visit/{kind}", starlette_app.visit, methods=["GET", "HEAD", "POST"], response_model=None)
_fastapi.add_api_route("/hello", starlette_app.hello, response_model=None)
with_try = ASGIControl(_with_try)
with_yield = ASGIControl(_fastapi)
