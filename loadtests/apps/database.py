"""One query a request, and four ways of coming by the connection: each an ASGI app of its own."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import starlette_poolware
from loadtests.database import QUERY, URI
from poolware import RequestContext, ResourcePool

SIZE = 8
"""Connections of each pool: half of the users have to wait for one."""

Connection = psycopg.AsyncConnection[Any]


async def new_connection() -> Connection:
    return await psycopg.AsyncConnection.connect(os.environ[URI], autocommit=True)


async def works(connection: Connection) -> bool:
    return bool(await connection.execute("select 1"))


by_hand_pool = AsyncConnectionPool(
    os.environ[URI],
    kwargs={"autocommit": True},
    min_size=SIZE,
    max_size=SIZE,
    open=False,
)
own_pool = ResourcePool(new_connection, validate=works, min_size=SIZE, max_size=SIZE, name="database")


async def answer(request: Request, connection: Connection) -> Response:
    """Ask for one row by its key."""
    cursor = await connection.execute(QUERY, (request.path_params["id"],))
    return JSONResponse(await cursor.fetchone())


async def with_new_connection(request: Request) -> Response:
    async with await new_connection() as connection:
        return await answer(request, connection)


async def with_pool_by_hand(request: Request) -> Response:
    async with by_hand_pool.connection() as connection:
        return await answer(request, connection)


async def with_borrowed(request: Request) -> Response:
    return await answer(request, await RequestContext.of(request).aborrow(by_hand_pool))


async def with_own_pool(request: Request) -> Response:
    async with own_pool.alease() as connection:
        return await answer(request, connection)


@asynccontextmanager
async def opened_by_hand(_: Starlette) -> AsyncIterator[None]:
    await by_hand_pool.open(wait=True)
    yield
    await by_hand_pool.close()


@asynccontextmanager
async def opened_own(_: Starlette) -> AsyncIterator[None]:
    await own_pool.await_ready()
    yield
    await own_pool.aclose()


def app(endpoint: Any, lifespan: Any = None) -> Starlette:
    return Starlette(routes=[Route("/products/{id:int}", endpoint)], lifespan=lifespan)


connect = app(with_new_connection)
by_hand = app(with_pool_by_hand, opened_by_hand)
adapter = app(with_borrowed, opened_by_hand)
own = app(with_own_pool, opened_own)
for pooled in (adapter, own):
    starlette_poolware.init_app(pooled)
