"""What a type checker knows about the contexts of the three frameworks' requests."""

import subprocess
import sys

import pytest

PREAMBLE = """
from queue import Queue
from typing import Annotated, assert_type
from django.http import HttpRequest
from fastapi import FastAPI
from flask import Flask, Request as FlaskRequest
from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from flask_poolware import Poolware, read_body as read_flask_body
from poolware import Buffer, Lifecycle, ObjectPool, RequestContext, Secret, SecretField, secret
from poolware.web.asgi import PoolwareMiddleware
from starlette_poolware import BufferResponse, init_app, read_body
from starlette_poolware.fastapi import from_request

class AppContext(RequestContext):
    tenant: str = ""
    token: SecretField = secret()

"""

RIGHT = """
async def use(
    starlette: Request, connection: HTTPConnection, flask: FlaskRequest, django: HttpRequest, scope: dict[str, object]
) -> None:
    assert_type(AppContext.of(starlette), AppContext)
    assert_type(AppContext.of(connection), AppContext)
    assert_type(AppContext.of(flask), AppContext)
    assert_type(AppContext.of(django), AppContext)
    assert_type(AppContext.of(scope), AppContext)
    assert_type(AppContext.of(scope).tenant, str)
    assert_type(AppContext.of(scope).token, Secret)
    assert_type(AppContext.of(scope).detach(), AppContext)
    assert_type(Lifecycle(AppContext).begin(scope), AppContext)
    assert_type(await read_body(starlette, limit=100), Buffer)
    assert_type(read_flask_body(flask, limit=100), Buffer)
    BufferResponse(AppContext.of(scope).buffer(100))
    init_app(Starlette(), context=AppContext, prewarm=3)
    init_app(FastAPI(), Lifecycle(AppContext))
    Poolware(Flask("shop"), context=AppContext)

async def borrow(
    ctx: AppContext,
    parsers: Queue[bytes],
    scratch: ObjectPool[list[int]],
    orders: Engine,
    async_orders: AsyncEngine,
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    assert_type(ctx.borrow(parsers), bytes)
    assert_type(ctx.borrow(scratch), list[int])
    assert_type(ctx.borrow(orders), Connection)
    assert_type(await ctx.aborrow(async_orders), AsyncConnection)
    assert_type(await ctx.aborrow(sessions), AsyncSession)

async def route(ctx: Annotated[AppContext, from_request(AppContext)]) -> str:
    return ctx.tenant
"""


@pytest.fixture
def check(tmp_path):
    """Run mypy over a snippet of a user's code; return what it found."""

    def check(code):
        file = tmp_path / "snippet.py"
        file.write_text(PREAMBLE + code)
        command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(file)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    return check


def test_the_typed_accessor_knows_the_context_class(check):
    assert check(RIGHT) == ""


MISTAKES = {
    "AppContext.of({}).tennant": '"AppContext" has no attribute "tennant"',
    "AppContext.of({}).tenant = 1": "Incompatible types in assignment",
    "init_app(Starlette(), contxt=AppContext)": 'Unexpected keyword argument "contxt"',
    'init_app(Starlette(), prewarm="3")': '"prewarm" to "init_app" has incompatible type',
    "Poolware(context=dict)": '"context" to "Poolware" has incompatible type',
    "AppContext.of({}).borrow(3)": 'No overload variant of "borrow"',
    "Lifecycle(dict)": 'of "Lifecycle" cannot be "dict[Any, Any]"',
}


def test_mistakes_are_seen_before_they_run(check):
    """H40: by a type checker too, each in its own line."""
    lines = check("\n".join(MISTAKES)).splitlines()
    for number, (code, says) in enumerate(MISTAKES.items(), start=PREAMBLE.count("\n") + 1):
        said = [line for line in lines if f".py:{number}: error: " in line]
        assert any(says in line for line in said), (code, lines)
