"""asyncpg's pool against a real PostgreSQL. It lends proxies, which lead nowhere once given back."""

import asyncio

import pytest

from poolware import BadOption, PoolClosed, PoolTimeout
from poolware.pools.adapters import asyncpg as adapter

asyncpg = pytest.importorskip("asyncpg")
pytestmark = pytest.mark.anyio


@pytest.fixture
async def pool(postgres):
    async with asyncpg.create_pool(postgres, min_size=1, max_size=1) as pool:
        yield pool


async def test_an_open_transaction_is_rolled_back(pool, serve, lifecycle, told):
    """Giving back never commits."""

    async def view(ctx):
        ctx.connection = await ctx.aborrow(pool)
        await ctx.connection.execute("begin")
        await ctx.connection.execute("create table forgotten ()")

    await serve(view)
    assert pool.get_idle_size() == 1
    assert await pool.fetchval("select to_regclass('forgotten')") is None
    assert (lifecycle.rolled_back, lifecycle.discarded) == (1, 0)
    assert [text for _, text in told()] == ["GET /orders ended inside a transaction of Pool, which was rolled back"]


async def test_the_same_connection_serves_the_next_request(pool, serve, told):
    seen = set()

    async def view(ctx):
        seen.add((await ctx.aborrow(pool)).get_server_pid())

    for _ in range(3):
        await serve(view)
    assert len(seen) == 1
    assert told() == []


async def test_a_held_proxy_leads_nowhere_and_its_connection_is_closed(pool, serve, lifecycle):
    """H06."""
    kept, seen = [], []

    async def view(ctx):
        kept.append(await ctx.aborrow(pool))
        seen.append(kept[0].get_server_pid())

    await serve(view)
    assert lifecycle.discarded == 1
    with pytest.raises(asyncpg.InterfaceError, match="released back to the pool"):
        await kept[0].fetch("select 1")
    assert await pool.fetchval("select pg_backend_pid()") not in seen


async def test_cancelled_in_the_middle_of_a_query(pool, serve):
    """H18."""

    async def view(ctx):
        connection = await ctx.aborrow(pool)
        arrived.set()
        await connection.execute("select pg_sleep(60)")

    arrived = asyncio.Event()
    task = asyncio.create_task(serve(view))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await pool.fetchval("select 1") == 1


async def test_released_by_hand(pool, serve, told):
    """H12."""

    async def view(ctx):
        await pool.release(await ctx.aborrow(pool))

    await serve(view)
    assert pool.get_idle_size() == 1
    assert told() == []


async def test_nothing_to_lend(pool, serve, monkeypatch):
    """asyncpg would wait for ever."""
    monkeypatch.setattr(adapter, "WAIT_S", 0.05)

    async def view(ctx):
        with pytest.raises(PoolTimeout) as raised:
            await ctx.aborrow(pool)
        assert isinstance(raised.value.__cause__, TimeoutError)
        with pytest.raises(BadOption, match=r"await ctx\.aborrow"):
            ctx.borrow(pool)

    async with pool.acquire():
        await serve(view)

    async def late(ctx):
        with pytest.raises(PoolClosed):
            await ctx.aborrow(pool)

    await pool.close()
    await serve(late)
