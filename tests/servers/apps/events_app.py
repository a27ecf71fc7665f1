"""Server-sent events from a database of four connections: held for a moment each time, or for the whole stream."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

import starlette_poolware
from poolware import PoolTimeout, RequestContext, ResourcePool

PAUSE = 0.02
database = ResourcePool(
    lambda: sqlite3.connect(":memory:", check_same_thread=False), max_size=4, timeout=0.5, name="database"
)


def event(connection: sqlite3.Connection) -> bytes:
    (number,) = connection.execute("select 41 + 1").fetchone()
    return b"data: %d\n\n" % number


async def by_block(_: Request) -> Response:
    """Borrow for each event, and give back before it is sent."""

    async def events() -> AsyncIterator[bytes]:
        while True:
            async with database.alease() as connection:
                content = event(connection)
                await asyncio.sleep(0)
            yield content
            await asyncio.sleep(PAUSE)

    return StreamingResponse(events(), media_type="text/event-stream")


async def for_the_stream(request: Request) -> Response:
    """Borrow until the response ends: four clients, and nothing is left for anybody."""
    connection = await RequestContext.of(request).aborrow(database)

    async def events() -> AsyncIterator[bytes]:
        while True:
            yield event(connection)
            await asyncio.sleep(PAUSE)

    return StreamingResponse(events(), media_type="text/event-stream")


async def now(_: Request) -> Response:
    try:
        async with database.alease() as connection:
            return PlainTextResponse(event(connection))
    except PoolTimeout as error:
        return PlainTextResponse(str(error), 503)


async def stats(_: Request) -> Response:
    return JSONResponse(dataclasses.asdict(database.get_stats()))


app = Starlette(
    routes=[
        Route("/by-block", by_block),
        Route("/for-the-stream", for_the_stream),
        Route("/now", now),
        Route("/stats", stats),
    ]
)
starlette_poolware.init_app(app)
