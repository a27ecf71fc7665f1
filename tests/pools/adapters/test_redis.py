"""redis-py's pools against a real Redis. What is lent is a client that keeps one connection."""

import pytest

from poolware import PoolTimeout, TooManyWaiting

redis = pytest.importorskip("redis")


@pytest.fixture
def pool(redis_socket):
    pool = redis.ConnectionPool(connection_class=redis.UnixDomainSocketConnection, path=redis_socket, max_connections=1)
    yield pool
    pool.disconnect()


@pytest.fixture
async def async_pool(redis_socket):
    unix = redis.asyncio.UnixDomainSocketConnection
    pool = redis.asyncio.ConnectionPool(connection_class=unix, path=redis_socket, max_connections=1)
    yield pool
    await pool.disconnect()


def test_one_connection_serves_the_request_and_the_next(pool, request_of, told):
    seen = set()

    def view(ctx):
        client = ctx.connection = ctx.borrow(pool)
        client.set("tenant", "acme")
        assert client.get("tenant") == b"acme"
        seen.update((client.client_id(), client.client_id()))

    for _ in range(3):
        with request_of() as ctx:
            view(ctx)
            del ctx
    assert len(seen) == 1
    assert told() == []


def test_after_a_failure_or_while_held_the_connection_is_made_anew(pool, request_of, fail, lifecycle):
    """H06: a client that was kept takes a connection of its own for each command, as any other."""
    with request_of() as ctx:
        kept = ctx.borrow(pool)
        first = kept.client_id()
        del ctx
    second = kept.client_id()
    assert first != second

    fail(pool)
    assert kept.client_id() != second
    assert lifecycle.discarded == 2


def test_nothing_to_lend(pool, request_of, redis_socket):
    blocking = redis.BlockingConnectionPool(
        connection_class=redis.UnixDomainSocketConnection, path=redis_socket, max_connections=1, timeout=0.05
    )
    with request_of() as ctx:
        ctx.borrow(pool)
        with pytest.raises(TooManyWaiting, match=r"ConnectionPool has nothing to lend: \w+ Too many") as raised:
            ctx.borrow(pool)
        ctx.borrow(blocking)
        with pytest.raises(PoolTimeout):
            ctx.borrow(blocking)
        del ctx, raised
    blocking.disconnect()


def test_a_server_that_is_down_is_no_matter_of_the_pool(tmp_path, request_of):
    unix = redis.UnixDomainSocketConnection
    with request_of() as ctx, pytest.raises(redis.ConnectionError):
        ctx.borrow(redis.ConnectionPool(connection_class=unix, path=str(tmp_path / "nothing")))
    del ctx


def test_closed_by_hand(pool, request_of, told):
    """H12."""
    with request_of() as ctx:
        ctx.borrow(pool).close()
        ctx.borrow(pool)
        del ctx
    assert told() == []


@pytest.mark.anyio
async def test_async(async_pool, serve, lifecycle, told):
    seen, kept = [], []

    async def view(ctx):
        client = ctx.connection = await ctx.aborrow(async_pool)
        seen.append(await client.client_id())

    async def hold(ctx):
        kept.append(await ctx.aborrow(async_pool))
        seen.append(await kept[0].client_id())

    await serve(view)
    await serve(view)
    assert told() == []
    await serve(hold)
    await serve(view)
    assert seen[0] == seen[1] == seen[2] != seen[3]
    assert lifecycle.discarded == 1


@pytest.mark.anyio
async def test_async_nothing_to_lend(async_pool, serve, redis_socket):
    unix = redis.asyncio.UnixDomainSocketConnection
    blocking = redis.asyncio.BlockingConnectionPool(
        connection_class=unix, path=redis_socket, max_connections=1, timeout=0.05
    )

    async def view(ctx):
        await ctx.aborrow(async_pool)
        with pytest.raises(TooManyWaiting):
            await ctx.aborrow(async_pool)
        await ctx.aborrow(blocking)
        with pytest.raises(PoolTimeout):
            await ctx.aborrow(blocking)

    await serve(view)
    await blocking.disconnect()
