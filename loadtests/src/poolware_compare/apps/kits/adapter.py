"""poolware around the driver's own pool: what psycopg's pool lends hangs on the context, until the response ends."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any

from poolware import RequestContext
from poolware_compare.apps.kits.by_hand import async_psycopg_pool, psycopg_pool
from poolware_compare.apps.kits.pooled import (
    POOLED,
    AppContext,
    asqlite,
    compressed,
    export,
    made,
    scratch,
    sqlite,
)

__all__ = [
    "POOLED",
    "AppContext",
    "apostgres",
    "asqlite",
    "compressed",
    "export",
    "made",
    "postgres",
    "scratch",
    "sqlite",
]


def postgres(ctx: RequestContext) -> AbstractContextManager[Any]:
    """Borrow a connection for the rest of the request."""
    return nullcontext(ctx.borrow(psycopg_pool()))


@asynccontextmanager
async def apostgres(ctx: RequestContext) -> AsyncIterator[Any]:
    """Borrow a connection for the rest of the request, for tasks."""
    pool = async_psycopg_pool()
    if pool.closed:
        await pool.open()
    yield await ctx.aborrow(pool)
