"""get_stats() and pop_stats(): exact, also when many threads have been inside; H34."""

import dataclasses
import os
import random
import sys
import threading
from collections import Counter
from collections.abc import Mapping

import pytest
from pool_samples import Tool, tool_pool
from resource_samples import resource_pool, wait_until

from poolware import BufferPool, Context, ObjectPool
from poolware._core.histogram import Times
from poolware.errors import PoolTimeout
from poolware.pools.figures import _NOW

THREADS, ROUNDS = 4, 100


class Job(Context):
    name: str = ""


class Sized:
    """A buffer pool that is asked for one size."""

    def __init__(self, **options):
        self.pool = BufferPool(**options)
        self.release, self.get_stats, self.pop_stats = self.pool.release, self.pool.get_stats, self.pool.pop_stats
        self._after_fork = self.pool._after_fork

    def acquire(self):
        return self.pool.acquire(1000)


POOLS = {
    "contexts": lambda **options: ObjectPool(Job, **options),
    "tools": tool_pool,
    "buffers": Sized,
    "resources": resource_pool,
}
every_kind = pytest.mark.parametrize("make", POOLS.values(), ids=POOLS)


@pytest.fixture(autouse=True)
def switch_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def use(pool, rounds=ROUNDS):
    for _ in range(rounds):
        pool.release(pool.acquire())


def run(*functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def counts_of(stats):
    """Every figure that only goes up."""
    counts = Counter()
    for field in dataclasses.fields(stats):
        value = getattr(stats, field.name)
        if isinstance(value, Mapping):
            counts.update({(field.name, key): count for key, count in value.items()})
        elif isinstance(value, Times):
            counts[field.name] = value.count
        elif isinstance(value, int) and field.name not in _NOW | {"peak_in_use"}:
            counts[field.name] = value
    return counts


@every_kind
@pytest.mark.parametrize("level", ["off", "full"])
def test_threads_add_up(make, level):
    pool = make(leak_detection=level)
    run(*[lambda: use(pool)] * THREADS)
    stats = pool.get_stats()
    assert (stats.acquired, stats.released, stats.in_use) == (THREADS * ROUNDS, THREADS * ROUNDS, 0)
    assert stats.hits + stats.misses == stats.acquired
    assert stats.hit_rate + stats.miss_rate == 1
    timed = level == "full" or make is POOLS["resources"]
    assert stats.hold.count == (stats.released if timed else 0)


@every_kind
def test_what_was_popped_adds_up_to_everything(make):
    """While threads use the pool and others pop."""
    pool, popped, done = make(leak_detection="full"), [], threading.Event()

    def pop():
        while not done.is_set():
            popped.append(pool.pop_stats())

    poppers = [threading.Thread(target=pop) for _ in range(2)]
    for thread in poppers:
        thread.start()
    run(*[lambda: use(pool, 50)] * 4)
    done.set()
    for thread in poppers:
        thread.join()
    popped.append(pool.pop_stats())
    stats = pool.get_stats()
    assert stats.released == 200
    total = Counter()
    for one in popped:
        total.update(counts_of(one))  # a release that is seen before its acquisition is less than nothing, for once
    assert total == counts_of(stats)
    assert sum(one.hold.total for one in popped) == pytest.approx(stats.hold.total)
    assert max(one.hold.max for one in popped) == stats.hold.max
    assert min(one.hold.min for one in popped if one.hold.count) == stats.hold.min


@every_kind
def test_a_pop_says_what_came_since_and_how_it_is(make):
    pool = make(leak_detection="full")
    use(pool, 3)
    held = pool.acquire()
    assert (pool.pop_stats().acquired, pool.get_stats().acquired) == (4, 4)
    period = pool.pop_stats()
    assert (period.acquired, period.in_use, period.hold.count, period.hold.max) == (0, 1, 0, 0)
    pool.release(held)
    assert (pool.pop_stats().released, pool.get_stats().released) == (1, 4)


@every_kind
def test_statistics_are_frozen(make):
    stats = make().get_stats()
    with pytest.raises(dataclasses.FrozenInstanceError):
        stats.acquired = 17
    assert (stats.hit_rate, stats.miss_rate) == (1, 0)


@every_kind
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_begins_at_nothing(make):
    """H26: also where the parent has popped."""
    pool = make(leak_detection="full")
    use(pool, 5)
    pool.pop_stats()
    child = os.fork()
    if not child:
        try:
            use(pool, 2)
            popped, stats = pool.pop_stats(), pool.get_stats()
            os._exit(0 if popped.acquired == stats.acquired == stats.hold.count == 2 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert pool.get_stats().acquired == 5


@pytest.mark.parametrize("make", [tool_pool, resource_pool])
def test_the_peak(make):
    """Ever, and since the last pop."""
    pool = make(**({"max_size": 5} if make is resource_pool else {}))
    objects = [pool.acquire() for _ in range(5)]
    while objects:
        pool.release(objects.pop())
    assert (pool.get_stats().peak_in_use, pool.pop_stats().peak_in_use) == (5, 5)
    held = pool.acquire()
    assert (pool.pop_stats().peak_in_use, pool.get_stats().peak_in_use) == (1, 5)
    pool.release(held)


def test_an_object_pool_is_exhausted_when_it_lends_what_it_will_not_keep():
    pool = tool_pool(max_idle=2)
    objects = [pool.acquire() for _ in range(5)]
    assert pool.get_stats().exhausted == 3
    for obj in objects:
        pool.release(obj)
    assert pool.get_stats().dropped == 3


def test_bytes_that_a_buffer_pool_has_saved():
    pool = BufferPool(tiers=(1024, 4096))
    for size in (10, 1024, 4000, 10_000, 10_000):  # built, saved, built, and twice larger than all tiers
        pool.release(pool.acquire(size))
    with pool.lease(10) as buffer:  # saved
        buffer.write(bytes(3000))  # and once more, when it grows
    stats = pool.get_stats()
    assert (stats.bytes_saved, stats.hits) == (1024 + 1024 + 4096, 3)
    assert stats.hits + stats.misses == stats.acquired + stats.grown
    assert pool.pop_stats().bytes_saved == stats.bytes_saved
    assert pool.pop_stats().bytes_saved == 0


def test_bytes_saved_by_threads_are_exact():
    """H34. Also while the tiers change."""
    pool, sizes = BufferPool(tiers=(1024, 4096)), [100, 2000]
    run(*[lambda: [pool.release(pool.acquire(random.choice(sizes))) for _ in range(200)]] * 4)
    pool._store.retier((1024, 8192))
    before = pool.get_stats()
    pool.release(pool.acquire(1000))
    assert pool.get_stats().bytes_saved == before.bytes_saved + 1024
    assert before.bytes_saved >= 1024 * (before.hits - before.misses)


def test_a_resource_that_is_waited_for_is_a_miss():
    pool = resource_pool(max_size=1)
    with pool.lease():
        with pytest.raises(PoolTimeout):
            pool.acquire(timeout=0)
        waiter = threading.Thread(target=lambda: pool.release(pool.acquire()))
        waiter.start()
        wait_until(lambda: pool.get_stats().waiting == 1)
    waiter.join()
    use(pool, 2)
    stats = pool.get_stats()
    assert (stats.acquired, stats.misses, stats.hits) == (4, 2, 2)
    assert (stats.exhausted, stats.exhaustion_rate, stats.timeouts) == (2, 0.5, 1)
    assert stats.wait.count == sum(stats.wait.counts) == 2
    assert stats.peak_utilisation == 1
    assert stats.utilisation == 0


def test_what_rests_is_a_hit_though_it_has_to_be_validated():
    pool = resource_pool(validate=lambda _: True, validate_after=0)
    use(pool, 3)
    stats = pool.get_stats()
    assert (stats.misses, stats.hits, stats.wait.count) == (1, 2, 3)


def test_what_rests_and_is_found_broken_is_a_miss():
    good = iter([True, False, True])
    pool = resource_pool(validate=lambda _: next(good), validate_after=0, max_size=1)
    use(pool, 2)
    stats = pool.get_stats()
    assert (stats.misses, stats.hits, stats.validation_failures) == (2, 0, 1)


def test_the_last_access_of_a_resource_pool():
    pool = resource_pool()
    assert pool.get_stats().last_access is None
    first = pool.acquire()
    taken = pool.get_stats().last_access
    pool.release(first)
    assert taken <= pool.get_stats().last_access
    pool.close()
    assert pool.get_stats().last_access is None


def test_a_tool_is_not_timed_unless_asked():
    """No clock is read on the way of an acquisition of memory."""
    pool = tool_pool()
    use(pool)
    assert pool.get_stats().hold == Times()
    assert isinstance(pool.acquire(), Tool)
