"""H18: a request is cancelled after each possible number of steps of its loop; no peer ever loses a connection."""

import asyncio

import pytest

pytestmark = pytest.mark.anyio

SIZE = 2


async def psycopg(postgres, _redis):
    pool = pytest.importorskip("psycopg_pool").AsyncConnectionPool(postgres, min_size=SIZE, max_size=SIZE, open=False)
    await pool.open(wait=True)
    return pool, pool.close


async def asyncpg(postgres, _redis):
    pool = await pytest.importorskip("asyncpg").create_pool(postgres, min_size=SIZE, max_size=SIZE)
    return pool, pool.close


async def sqlalchemy(postgres, _redis):
    aio = pytest.importorskip("sqlalchemy.ext.asyncio")
    uri = postgres.replace("postgresql://", "postgresql+asyncpg://")
    engine = aio.create_async_engine(uri, pool_size=SIZE, max_overflow=0, pool_timeout=5)
    return engine, engine.dispose


async def redis(_postgres, path):
    aio = pytest.importorskip("redis.asyncio")
    unix = aio.UnixDomainSocketConnection
    pool = aio.BlockingConnectionPool(connection_class=unix, path=path, max_connections=SIZE, timeout=5)
    return pool, pool.disconnect


@pytest.mark.parametrize("make", [psycopg, asyncpg, sqlalchemy, redis])
async def test_cancelled_anywhere(make, postgres, redis_socket, serve, lifecycle):
    pool, close = await make(postgres, redis_socket)

    async def borrow(ctx):
        lent = [await ctx.aborrow(pool) for _ in range(SIZE)]
        if make is psycopg:
            await lent[0].execute("select 1")
        elif make is asyncpg:
            await lent[0].execute("begin")
        del lent

    async def cancelled_after(steps):
        task = asyncio.create_task(serve(borrow))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return True
        return False

    steps = 0
    while await cancelled_after(steps):
        steps += 1
    assert steps > SIZE
    async with asyncio.timeout(10):
        await serve(borrow)
    await close()
