"""psycopg_pool against a real PostgreSQL: what comes back to the pool is fit for its next user."""

import asyncio

import pytest

from poolware import BadOption, LoopMissing, PoolClosed, PoolTimeout, TooManyWaiting

psycopg_pool = pytest.importorskip("psycopg_pool")

IDLE = 0


def idle(pool):
    return pool.get_stats().get("pool_available", 0)


@pytest.fixture
def pool(postgres):
    with psycopg_pool.ConnectionPool(postgres, min_size=1, max_size=1, timeout=5, name="orders") as pool:
        pool.wait()
        yield pool


@pytest.fixture
async def async_pool(postgres):
    async with psycopg_pool.AsyncConnectionPool(postgres, min_size=1, max_size=1, timeout=5, name="orders") as pool:
        await pool.wait()
        yield pool


def server_process(connection):
    return connection.info.backend_pid


def test_the_same_connection_serves_the_next_request(pool, request_of, lifecycle, told):
    def view(ctx):
        connection = ctx.borrow(pool)
        connection.execute("select 1")
        connection.commit()
        return server_process(connection)

    seen = set()
    for _ in range(3):
        with request_of() as ctx:
            seen.add(view(ctx))
            del ctx
    assert len(seen) == 1
    assert told() == []
    assert (lifecycle.rolled_back, lifecycle.discarded) == (0, 0)


def test_an_open_transaction_is_rolled_back_and_logged_with_its_route(pool, request_of, lifecycle, told):
    """Giving back never commits."""

    def view(ctx):
        ctx.borrow(pool).execute("create table forgotten ()")

    with request_of() as ctx:
        view(ctx)
        del ctx
    assert lifecycle.rolled_back == 1
    assert told() == [
        ("WARNING", "GET /orders ended inside a transaction of ConnectionPool 'orders', which was rolled back")
    ]
    with pool.connection() as connection:
        assert connection.execute("select to_regclass('forgotten')").fetchone() == (None,)
    assert lifecycle.discarded == 0


def test_a_connection_that_somebody_holds_is_reported_closed_and_replaced(pool, request_of, lifecycle, told):
    """H06: never shared."""
    with request_of() as ctx:
        kept = ctx.borrow(pool)
        del ctx
    assert lifecycle.discarded == 1
    assert kept.closed
    ((level, text),) = told()
    assert level == "WARNING"
    assert text == (
        "GET /orders ended, and the Connection that it had borrowed from ConnectionPool 'orders' "
        "is not used again: somebody still holds it"
    )
    with pool.connection() as connection:
        assert connection is not kept


def test_a_field_of_the_context_is_no_foreign_holder(pool, request_of, lifecycle):
    with request_of() as ctx:
        ctx.connection = ctx.borrow(pool)
        del ctx
    assert lifecycle.discarded == 0


def test_a_cursor_that_is_kept_holds_its_connection(pool, request_of, lifecycle):
    """H43: a part is enough."""
    with request_of() as ctx:
        cursor = ctx.borrow(pool).cursor()
        del ctx
    assert lifecycle.discarded == 1
    assert cursor.connection.closed


def test_after_a_failure_the_connection_is_asked_for_a_sign_of_life(pool, fail, lifecycle, monkeypatch):
    asked = []
    check = pool.check_connection
    monkeypatch.setattr(pool, "check_connection", lambda connection: (asked.append(1), check(connection)))
    fail(pool)
    assert asked == [1]
    assert lifecycle.discarded == 0


def test_a_connection_that_died_is_replaced(pool, request_of, lifecycle, postgres, told):
    """H29: and nobody after gets the dead one."""

    def view(ctx):
        connection = ctx.borrow(pool)
        psycopg_pool.pool.Connection.connect(postgres, autocommit=True).execute(
            "select pg_terminate_backend(%s)", [server_process(connection)]
        ).connection.close()
        return server_process(connection)

    def died():
        with request_of() as ctx:
            view(ctx)
            del ctx
            raise LookupError

    with pytest.raises(LookupError):
        died()
    assert lifecycle.discarded == 1
    assert told()[0][0] == "INFO", "after a failure it is no surprise"
    with pool.connection() as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_connection_that_was_given_back_by_hand_is_left_alone(pool, request_of, lifecycle, told):
    """H12: once is enough."""
    with request_of() as ctx:
        pool.putconn(ctx.borrow(pool))
        del ctx
    assert told() == []
    assert idle(pool) == 1


def test_a_loan_that_was_ended_by_hand_does_not_touch_who_has_the_connection_now(pool, request_of, lifecycle, told):
    """H12: the next request is in the middle of its transaction."""
    outer = request_of()
    first = outer.__enter__()
    pool.putconn(first.borrow(pool))
    del first
    with request_of() as second:
        connection = second.borrow(pool)
        connection.execute("select 1")
        outer.__exit__(None, None, None)
        assert not connection.closed
        assert connection.info.transaction_status != IDLE
        connection.commit()
        del connection, second
    assert told() == []
    assert (lifecycle.rolled_back, lifecycle.discarded) == (0, 0)


def test_nothing_to_lend(postgres, request_of):
    """Timeouts and full queues are told in poolware's terms, with the pool's own error as cause."""
    pool = psycopg_pool.ConnectionPool(postgres, min_size=1, max_size=1, timeout=0.05, name="scarce")
    with request_of() as ctx, pool, pool.connection():
        with pytest.raises(PoolTimeout, match="ConnectionPool 'scarce' has nothing to lend: PoolTimeout") as raised:
            ctx.borrow(pool)
        assert isinstance(raised.value.__cause__, psycopg_pool.PoolTimeout)
        assert (raised.value.status, raised.value.retry_after) == (503, 1)
        del ctx, raised
    with request_of() as ctx, pytest.raises(PoolClosed):
        ctx.borrow(pool)
    del ctx


@pytest.mark.anyio
async def test_the_wrong_kind_is_refused(pool, async_pool, request_of, serve):
    """H40: the error names the other one."""

    async def view(ctx):
        with pytest.raises(BadOption, match=r"AsyncConnectionPool 'orders'.*await ctx\.aborrow\(pool\)"):
            ctx.borrow(async_pool)
        with pytest.raises(BadOption, match=r"\(ConnectionPool 'orders'\).*use ctx\.borrow\(pool\)"):
            await ctx.aborrow(pool)

    await serve(view)
    with request_of() as ctx, pytest.raises(LoopMissing, match="WSGI"):
        await ctx.aborrow(async_pool)
    del ctx


@pytest.mark.anyio
async def test_async_the_same_connection_serves_the_next_request(async_pool, serve, lifecycle, told):
    seen = set()

    async def view(ctx):
        connection = ctx.connection = await ctx.aborrow(async_pool)
        await connection.execute("select 1")
        await connection.commit()
        seen.add(server_process(connection))

    for _ in range(3):
        await serve(view)
    assert len(seen) == 1
    assert told() == []


@pytest.mark.anyio
async def test_async_an_open_transaction_is_rolled_back(async_pool, serve, lifecycle, told):
    async def view(ctx):
        await (await ctx.aborrow(async_pool)).execute("create table forgotten ()")

    await serve(view)
    assert lifecycle.rolled_back == 1
    assert "GET /orders ended inside a transaction of AsyncConnectionPool 'orders'" in told()[0][1]
    async with async_pool.connection() as connection:
        assert await (await connection.execute("select to_regclass('forgotten')")).fetchone() == (None,)


@pytest.mark.anyio
async def test_async_a_held_connection_is_closed(async_pool, serve, lifecycle):
    kept = []

    async def view(ctx):
        kept.append(await ctx.aborrow(async_pool))

    await serve(view)
    assert lifecycle.discarded == 1
    assert kept[0].closed


@pytest.mark.anyio
@pytest.mark.parametrize("busy", [False, True])
async def test_async_cancelled(async_pool, serve, lifecycle, busy):
    """H18: in the middle of a query, or between two; the slot is free again, with a connection that works."""

    async def view(ctx):
        connection = await ctx.aborrow(async_pool)
        await connection.execute("select 1")
        arrived.set()
        await (connection.execute("select pg_sleep(60)") if busy else asyncio.sleep(60))

    arrived = asyncio.Event()
    task = asyncio.create_task(serve(view))
    await arrived.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with async_pool.connection() as connection:
        assert await (await connection.execute("select 1")).fetchone() == (1,)


@pytest.mark.anyio
async def test_async_nothing_to_lend(postgres, serve):
    pool = psycopg_pool.AsyncConnectionPool(postgres, min_size=1, max_size=1, max_waiting=1, timeout=0.2, open=False)

    async def wait(ctx):
        with pytest.raises(PoolTimeout):
            await ctx.aborrow(pool)

    async def turned_away(ctx):
        with pytest.raises(TooManyWaiting):
            await ctx.aborrow(pool)

    async with pool, pool.connection(timeout=30):
        waiting = asyncio.create_task(serve(wait))
        while not pool.get_stats().get("requests_waiting"):  # noqa: ASYNC110 - the pool has no event for it
            await asyncio.sleep(0)
        await serve(turned_away)
        await waiting
