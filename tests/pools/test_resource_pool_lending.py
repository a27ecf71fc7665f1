"""ResourcePool: acquire, release and leases."""

import asyncio
import threading

import pytest
import trio
from resource_samples import NEVER, Resource, agree, resource_pool

from poolware import AlreadyLeased, AlreadyReleased, ConfigurationError, ForeignObject, PoolClosed

ON_LOOPS = pytest.mark.parametrize("run", [asyncio.run, trio.run], ids=["asyncio", "trio"])


@pytest.fixture
def pool():
    pool = resource_pool()
    yield pool
    agree(pool)
    pool.close(timeout=0)


def test_nothing_is_made_before_the_first_use(pool):
    assert pool.get_stats().created == 0


def test_what_came_back_is_lent_again(pool):
    first = pool.acquire()
    pool.release(first)
    assert pool.acquire() is first
    pool.release(first)
    assert pool.get_stats().created == 1


def test_each_caller_has_its_own(pool):
    resources = [pool.acquire() for _ in range(4)]
    assert len({id(resource) for resource in resources}) == 4
    for resource in resources:
        pool.release(resource)


@pytest.mark.parametrize(("order", "expected"), [("lifo", 3), ("fifo", 0)])
def test_order(order, expected):
    pool = resource_pool(order=order)
    resources = [pool.acquire() for _ in range(4)]
    for resource in resources:
        pool.release(resource)
    assert pool.acquire() is resources[expected]
    pool.release(resources[expected])
    pool.close()


def test_a_second_release_raises_and_changes_nothing(pool):
    """H12: the same resource is never lent to two."""
    resource = pool.acquire()
    pool.release(resource)
    with pytest.raises(AlreadyReleased, match="'db'"):
        pool.release(resource)
    assert pool.acquire() is resource
    assert pool.acquire() is not resource
    assert pool.get_stats().refused == 1


def test_a_foreign_resource_is_refused(pool):
    """H13"""
    with pytest.raises(ForeignObject, match="'db'"):
        pool.release(Resource())
    assert pool.get_stats().idle == 0


def test_what_was_let_go_of_is_foreign(pool):
    """H13: a destroyed resource does not come back to life."""
    resource = pool.acquire()
    pool.clear()
    pool.release(resource)
    with pytest.raises(ForeignObject):
        pool.release(resource)


def test_a_lease_ends_however_the_block_is_left(pool):
    with pool.lease() as resource:
        assert pool.get_stats().in_use == 1
    with pytest.raises(ZeroDivisionError), pool.lease():
        1 / 0  # noqa: B018
    assert pool.get_stats().in_use == 0
    assert not resource.closed or pool.get_stats().destroyed == {"failed": 1}


def test_what_failed_is_not_trusted(pool):
    """Without a way to validate it, it is discarded."""
    with pytest.raises(ZeroDivisionError), pool.lease():
        1 / 0  # noqa: B018
    assert pool.get_stats().destroyed == {"failed": 1}
    assert pool.get_stats().idle == 0


def test_a_lease_in_use_is_not_entered_again(pool):
    lease = pool.lease()
    with lease, pytest.raises(AlreadyLeased), lease:
        pass
    with lease:
        pass


@ON_LOOPS
def test_on_a_loop(pool, run):
    async def use():
        resource = await pool.aacquire()
        pool.release(resource)
        async with pool.alease() as again:
            assert again is resource
        lease = pool.alease()
        async with lease:
            with pytest.raises(AlreadyLeased):
                await lease.__aenter__()

    run(use if run is trio.run else use())
    assert pool.get_stats().created == 1


def test_threads_and_loops_share_one_pool(pool):
    resource = pool.acquire()
    pool.release(resource)

    async def use():
        return await pool.aacquire()

    assert asyncio.run(use()) is resource
    other = threading.Thread(target=pool.release, args=(resource,))
    other.start()
    other.join()
    assert trio.run(use) is resource
    pool.release(resource)


def test_acquire_where_it_could_block_a_loop_says_so_once(pool, caplog):
    async def use():
        for _ in range(2):
            pool.acquire()

    asyncio.run(use())
    assert [record.getMessage() for record in caplog.records if "aacquire" in record.getMessage()] == [
        "pool 'db': acquire() may block the event loop; use `await pool.aacquire()` there"
    ]


def test_resources_of_loops_are_not_for_threads():
    async def factory():
        return Resource()

    pool = resource_pool(factory)
    with pytest.raises(ConfigurationError, match="aacquire"):
        pool.acquire()
    with pytest.raises(ConfigurationError, match="await_ready"):
        pool.wait_ready()


def test_hold_times_are_counted(pool):
    with pool.lease() as resource:
        pool._stock.lent[id(resource)].since -= 2.0
    stats = pool.get_stats()
    assert 2.0 <= stats.hold.max <= NEVER
    assert stats.hold.total == stats.hold.max


def test_a_closed_pool_lends_nothing():
    with resource_pool() as pool:
        pool.release(pool.acquire())
    with pytest.raises(PoolClosed, match="'db'"):
        pool.acquire()


def test_repr_tells_what_is_going_on(pool):
    pool.acquire()
    assert "1 of 4 in use" in repr(pool)


@pytest.mark.parametrize("mode", ["off", "debug"])
def test_modes(monkeypatch, mode):
    """Invariant 6: `off` reuses nothing; `debug` notes who acquired."""
    monkeypatch.setenv("POOLWARE_MODE", mode)
    pool = resource_pool()
    first = pool.acquire()
    assert ("test_modes" in pool._stock.lent[id(first)].stack) is (mode == "debug")
    pool.release(first)
    assert (pool.acquire() is first) is (mode == "debug")
