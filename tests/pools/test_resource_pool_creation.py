"""ResourcePool: making resources, and failing to."""

import asyncio
import threading

import pytest
from resource_samples import Resource, agree, in_thread, resource_pool, wait_until

from poolware import BadOption, ConfigurationError, PoolTimeout, ResourcePool
from poolware.pools.resources.backoff import delay


class Failing:
    """A factory that fails until it is mended."""

    def __init__(self):
        self.broken = True
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.broken:
            msg = "connection refused"
            raise ConnectionRefusedError(msg)
        return Resource()


def test_a_failing_factory_costs_no_slot_and_waiters_learn_why():
    """H29"""
    factory = Failing()
    pool = resource_pool(factory, max_size=2, max_backoff=0.01)
    with pytest.raises(PoolTimeout, match=r"the factory has failed \d+ times.*connection refused") as caught:
        pool.acquire(timeout=0.05)
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)
    wait_until(lambda: pool.get_stats().creating == 0)  # nobody waits: it is not tried any more
    assert "connection refused" in pool.get_stats().last_error
    factory.broken = False
    assert [pool.acquire(), pool.acquire()]
    stats = agree(pool)
    assert stats.creation_errors == factory.calls - 2
    assert stats.last_error == ""


def test_who_waits_is_served_as_soon_as_it_works_again():
    """H29"""
    factory = Failing()
    pool = resource_pool(factory, max_size=2, max_backoff=0.01)
    threads = [in_thread(pool.acquire) for _ in range(2)]
    wait_until(lambda: factory.calls >= 3)
    factory.broken = False
    for thread, results in threads:
        thread.join()
        assert isinstance(results[0], Resource)
    assert pool.get_stats().wait.count == 2


def test_while_it_fails_one_at_a_time_tries():
    """A server that comes up again is not run over."""
    factory = Failing()
    pool = resource_pool(factory, max_size=4, max_backoff=0.01)
    with pytest.raises(PoolTimeout):
        pool.acquire(timeout=0.01)
    threads = [in_thread(lambda: pool.acquire(timeout=0.1)) for _ in range(4)]
    wait_until(lambda: pool.get_stats().waiting == 4)
    assert pool.get_stats().creating <= 1
    for thread, _ in threads:
        thread.join()


def test_waits_grow_with_jitter():
    for failures, full in [(1, 0.05), (2, 0.1), (4, 0.4), (5, 0.8), (6, 1.0), (10_000, 1.0)]:
        waits = {delay(failures, 1.0) for _ in range(50)}
        assert len(waits) > 1
        assert all(full / 2 <= wait <= full for wait in waits)


def test_a_slow_factory_stops_nobody_else():
    """It runs outside of the lock; who comes back meanwhile serves who waits."""
    go_on, slow = threading.Event(), False

    def factory():
        if slow:
            assert go_on.wait(20)
        return Resource()

    pool = resource_pool(factory, max_size=2)
    first = pool.acquire()
    slow = True
    thread, results = in_thread(pool.acquire)
    wait_until(lambda: pool.get_stats().creating == 1)
    pool.release(first)
    thread.join()
    assert results == [first]
    go_on.set()
    wait_until(lambda: pool.get_stats().idle == 1)


def test_min_size_is_made_with_the_first():
    pool = resource_pool(min_size=3)
    resource = pool.acquire()
    wait_until(lambda: pool.get_stats().idle == 2)
    pool.release(resource)
    pool.close()


def test_wait_ready():
    pool = resource_pool(min_size=3)
    pool.wait_ready()
    assert pool.get_stats().idle == 3
    pool.wait_ready()
    pool.close()


def test_not_ready_in_time_says_why():
    pool = resource_pool(Failing(), min_size=1)
    with pytest.raises(PoolTimeout, match=r"0 of 1 made within 0.01 s.*connection refused"):
        pool.wait_ready(timeout=0.01)
    pool.close()


def test_await_ready():
    async def factory():
        return Resource()

    async def ready():
        async with resource_pool(factory, min_size=2) as pool:
            await pool.await_ready()
            assert pool.get_stats().idle == 2

    asyncio.run(ready())


def test_a_factory_that_returns_the_same_twice():
    resource = Resource()
    pool = resource_pool(lambda: resource)
    pool.acquire()
    with pytest.raises(ConfigurationError, match="has already; it must make a new one"):
        pool.acquire()
    assert agree(pool).creating == 0


def test_a_function_that_returns_a_coroutine():
    async def connect():
        return Resource()

    pool = resource_pool(lambda: connect())  # noqa: PLW0108 - what people write
    with pytest.raises(ConfigurationError, match="write it as `async def`"):
        pool.acquire()
    with pytest.raises(ConfigurationError, match="write it as `async def`"):
        pool.acquire()


def test_a_resource_that_a_coroutine_closes():
    class Client:
        async def aclose(self):
            pass

    with pytest.raises(ConfigurationError, match=r"destroy=.*Client.aclose"):
        resource_pool(Client).acquire()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factory": 3}, "factory"),
        ({"min_size": -1}, "min_size=-1: it takes a whole number"),
        ({"min_size": 5}, "min_size=5: it takes a whole number of at most max_size=4"),
        ({"max_size": 0}, "max_size=0"),
        ({"max_size": True}, "max_size=True"),
        ({"timeout": -1}, "timeout=-1: it takes a number of at least 0"),
        ({"timeout": "1"}, "timeout='1'"),
        ({"max_waiting": -1}, "max_waiting=-1"),
        ({"validate_on": ["always"]}, "validate_on='always': it takes 'acquire', 'release', 'idle'"),
        ({"validate_after": -1}, "validate_after=-1"),
        ({"validate_timeout": 0}, "validate_timeout=0"),
        ({"keepalive_every": 0}, "keepalive_every=0"),
        ({"check_every": float("nan")}, "check_every=nan"),
        ({"check_batch": 0}, "check_batch=0"),
        ({"idle_timeout": 0}, "idle_timeout=0"),
        ({"max_lifetime": float("inf")}, "max_lifetime=inf"),
        ({"eviction": 3}, "eviction=3"),
        ({"order": "random"}, "order='random': it takes 'lifo', 'fifo'"),
        ({"ageing": 0}, "ageing=0"),
        ({"reserved": {"urgent": 1}}, "priority='urgent'"),
        ({"reserved": {"high": -1}}, r"reserved\['high'\]=-1"),
        ({"reserved": {"high": 4}}, "reserved: 4 of max_size=4 leave nothing for everybody"),
        ({"max_backoff": None}, "max_backoff=None"),
        ({"hold_limit": 0}, "hold_limit=0"),
        ({"leak_detection": True}, "leak_detection=True: it takes 'off', 'sampled', 'full'"),
        ({"downstream_limit": 0}, "downstream_limit=0"),
        ({"processes": 0}, "processes=0"),
        ({"destroy": 1}, "destroy=1"),
        ({"reset": 1}, "reset=1"),
        ({"validate": 1}, "validate=1"),
        ({"keepalive": 1}, "keepalive=1"),
    ],
    ids=str,
)
def test_bad_options(options, message):
    """H40"""
    with pytest.raises(BadOption, match=message):
        resource_pool(**options)


@pytest.mark.parametrize(("max_size", "least"), [(1, 1), (2, 2), (10, 2)])
def test_the_least_is_two_where_two_may_exist(max_size, least):
    with ResourcePool(object, max_size=max_size) as pool:
        assert pool.get_stats().min_size == least


def test_more_than_the_other_side_allows(caplog, monkeypatch):
    resource_pool(max_size=10, downstream_limit=40, processes=4)
    assert caplog.text == ""
    monkeypatch.setenv("WEB_CONCURRENCY", "8")
    resource_pool(max_size=10, downstream_limit=40)
    assert "max_size=10 in 8 processes can make 80, and downstream_limit=40; max_size=5 would fit" in caplog.text
