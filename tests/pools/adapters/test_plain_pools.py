"""Pools of which nothing is known but their methods, and what is no pool."""

import pytest

from poolware import BadOption, ObjectPool


class Connection:
    def __init__(self):
        self.closed = False

    def close(self):
        self.closed = True


class Lending:
    def __init__(self):
        self.back = []


class GetConn(Lending):
    def getconn(self):
        return Connection()

    def putconn(self, connection):
        self.back.append(connection)


class AsyncGetConn(GetConn):
    async def getconn(self):
        return Connection()

    async def putconn(self, connection):
        self.back.append(connection)


class AsyncAcquire(Lending):
    async def acquire(self):
        return Connection()

    async def release(self, connection):
        self.back.append(connection)


class BothWays(Lending):
    """As a ResourcePool: one for threads and event loops, whose release never waits."""

    def acquire(self):
        return Connection()

    async def aacquire(self):
        return Connection()

    def release(self, connection):
        self.back.append(connection)


@pytest.mark.parametrize("make", [GetConn, BothWays])
def test_sync(make, request_of):
    pool = make()
    with request_of() as ctx:
        assert not ctx.borrow(pool).closed
        assert pool.back == []
        del ctx
    assert [connection.closed for connection in pool.back] == [False]


@pytest.mark.parametrize("make", [GetConn, AsyncGetConn])
@pytest.mark.anyio
async def test_one_that_is_held_is_closed(make, request_of, serve, lifecycle):
    """H06: psycopg2's pools replace a connection that comes back closed."""
    pool, kept = make(), []

    async def view(ctx):
        kept.append(await ctx.aborrow(pool) if make is AsyncGetConn else ctx.borrow(pool))

    await serve(view)
    assert pool.back == kept
    assert kept[0].closed
    assert lifecycle.discarded == 1


@pytest.mark.parametrize("make", [AsyncGetConn, AsyncAcquire, BothWays])
@pytest.mark.anyio
async def test_async(make, serve):
    pool = make()

    async def view(ctx):
        assert not (await ctx.aborrow(pool)).closed
        assert pool.back == []

    await serve(view)
    assert [connection.closed for connection in pool.back] == [False]


@pytest.mark.anyio
async def test_a_pool_that_never_waits_serves_wsgi_too(request_of):
    pool = BothWays()
    with request_of() as ctx:
        await ctx.aborrow(pool)
        del ctx
    assert len(pool.back) == 1


@pytest.mark.parametrize("make", [GetConn, lambda: ObjectPool(Connection, reset=None)])
@pytest.mark.anyio
async def test_aborrow_of_a_sync_pool(make, serve):
    """H40: what it lent before that could be known has gone back."""
    pool = make()

    async def view(ctx):
        with pytest.raises(BadOption, match=r"it is a sync pool; use ctx\.borrow\(pool\), in a thread if it may block"):
            await ctx.aborrow(pool)

    await serve(view)
    assert isinstance(pool, GetConn) or pool.get_stats().in_use == 0


@pytest.mark.parametrize("make", [AsyncGetConn, AsyncAcquire])
def test_borrow_of_an_async_pool(make, request_of):
    """H40."""
    with request_of() as ctx, pytest.raises(BadOption, match=r"it is an async pool; use await ctx\.aborrow\(pool\)"):
        ctx.borrow(make())
    del ctx


@pytest.mark.parametrize("thing", [object(), None, "postgresql://…", [1]])
@pytest.mark.anyio
async def test_what_is_no_pool(thing, serve):
    """H40: the message says what is taken, and shows no secret of a URL."""

    async def view(ctx):
        for message in (
            r"\): it takes a pool: an object with acquire\(\) and release",
            "psycopg_pool, asyncpg or redis; an engine, session maker or pool of SQLAlchemy; a queue.Queue",
        ):
            with pytest.raises(BadOption, match=message):
                ctx.borrow(thing)
            with pytest.raises(BadOption, match=message) as raised:
                await ctx.aborrow(thing)
            assert "postgresql://" not in str(raised.value)

    await serve(view)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_putconn_keeps_no_other_from_its_turn(error, request_of):
    """H18, H35."""

    class Interrupted(GetConn):
        def putconn(self, connection):
            super().putconn(connection)
            raise error

    pools = [GetConn(), Interrupted(), GetConn()]

    def interrupted():
        with request_of() as ctx:
            for pool in pools:
                ctx.borrow(pool)
            del ctx

    with pytest.raises(error):
        interrupted()
    assert [len(pool.back) for pool in pools] == [1, 1, 1]


def test_one_object_for_everybody(request_of):
    """H12: a pool that hands the same connection out twice gets it back once."""

    class Persistent(GetConn):
        connection = Connection()

        def getconn(self):
            return self.connection

    pool = Persistent()
    with request_of() as ctx:
        assert ctx.borrow(pool) is ctx.borrow(pool)
        del ctx
    assert pool.back == [pool.connection]
