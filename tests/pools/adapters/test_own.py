"""ResourcePool: what a request borrowed is rolled back, looked at, and only then lent again."""

import asyncio
import sqlite3

import pytest

from poolware import BadOption, PoolTimeout, ResourcePool


class Connection:
    """Counts what is done to it."""

    def __init__(self):
        self.in_transaction = False
        self.rolled_back = self.closed = 0

    def rollback(self):
        self.in_transaction = False
        self.rolled_back += 1

    def close(self):
        self.closed += 1


async def connect():
    return Connection()


def make(factory=Connection, **options):
    return ResourcePool(factory, min_size=0, max_size=1, timeout=5, name="orders", **options)


def test_the_same_resource_serves_the_next_request(request_of, lifecycle, told):
    pool, seen = make(), set()
    for _ in range(3):
        with request_of() as ctx:
            seen.add(id(ctx.borrow(pool)))
            del ctx
    assert len(seen) == 1
    assert told() == []
    assert (lifecycle.rolled_back, lifecycle.discarded) == (0, 0)


def test_an_open_transaction_is_rolled_back_and_logged_with_its_route(request_of, lifecycle, told):
    """Giving back never commits."""
    pool = make(lambda: sqlite3.connect(":memory:", check_same_thread=False))

    with pool.lease() as connection:
        connection.execute("create table orders (id)")
    del connection

    with request_of() as ctx:
        ctx.borrow(pool).execute("insert into orders values (1)")
        del ctx
    assert told() == [
        ("WARNING", "GET /orders ended inside a transaction of ResourcePool 'orders', which was rolled back")
    ]
    assert lifecycle.rolled_back == 1
    with pool.lease() as connection:
        assert connection.execute("select count(*) from orders").fetchone() == (0,)
    pool.close()


def test_what_was_given_back_by_hand_is_left_to_whoever_has_it_now(request_of, lifecycle, told):
    """The end of a request does not end somebody else's use of the same resource (H12)."""
    pool = make()
    with request_of() as ctx:
        pool.release(ctx.borrow(pool))
        connection = pool.acquire()
        connection.in_transaction = True
        del ctx
    assert (told(), lifecycle.discarded, pool.get_stats().in_use) == ([], 0, 1)
    assert (connection.rolled_back, connection.closed) == (0, 0)
    pool.release(connection)
    pool.close()


def test_what_somebody_still_holds_is_reported_and_not_used_again(request_of, lifecycle, told):
    pool, holder = make(), []
    with request_of() as ctx:
        holder.append(ctx.borrow(pool))
        del ctx
    ((level, message),) = told()
    assert level == "WARNING"
    assert "Connection that it had borrowed from ResourcePool 'orders' is not used again: somebody still" in message
    assert lifecycle.discarded == 1
    assert pool.get_stats().destroyed == {"discarded": 1}
    with request_of() as ctx:
        assert ctx.borrow(pool) is not holder[0]
        del ctx


def test_a_field_of_the_context_is_no_foreign_holder(request_of, told):
    pool = make()
    with request_of() as ctx:
        ctx.connection = ctx.borrow(pool)
        del ctx
    assert told() == []
    assert pool.get_stats().idle == 1


@pytest.mark.parametrize("valid", [True, False])
def test_after_a_failure_it_is_validated(request_of, valid):
    """A request that raised may have left anything behind."""
    asked = []
    pool = make(validate=lambda connection: asked.append(connection) or valid, validate_on=())

    def fail():
        with request_of() as ctx:
            ctx.borrow(pool)
            del ctx
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert len(asked) == 1
    assert pool.get_stats().idle == valid


@pytest.mark.anyio
async def test_on_a_loop(serve, lifecycle, told):
    pool = make(connect)

    async def view(ctx):
        (await ctx.aborrow(pool)).in_transaction = True

    for _ in range(2):
        await serve(view)
    assert pool.get_stats().created == 1
    assert lifecycle.rolled_back == 2
    assert len(told()) == 2
    await pool.aclose()


@pytest.mark.anyio
async def test_a_pool_for_threads_lends_to_tasks_without_blocking_them(serve):
    pool = make()
    held = pool.acquire()

    async def view(ctx):
        asyncio.get_running_loop().call_soon(pool.release, held)
        assert await ctx.aborrow(pool) is held

    await serve(view)
    assert pool.get_stats().idle == 0  # the test holds it still
    assert pool.get_stats().destroyed == {"discarded": 1}


@pytest.mark.anyio
async def test_a_cancelled_request_gives_back(serve):
    """H17, H18"""
    pool, borrowed = make(connect), asyncio.Event()

    async def view(ctx):
        await ctx.aborrow(pool)
        borrowed.set()
        await asyncio.sleep(3600)

    task = asyncio.create_task(serve(view))
    await borrowed.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pool.get_stats().in_use == 0
    assert pool.get_stats().destroyed == {"failed": 1}


def test_a_pool_of_loops_is_not_for_threads(request_of):
    with request_of() as ctx:
        with pytest.raises(BadOption, match=r"use await ctx\.aborrow"):
            ctx.borrow(make(connect))
        del ctx


def test_nothing_to_lend(request_of):
    pool = ResourcePool(Connection, max_size=1, min_size=0, timeout=0.01)
    held = pool.acquire()
    with request_of() as ctx:
        with pytest.raises(PoolTimeout):
            ctx.borrow(pool)
        del ctx
    pool.release(held)
