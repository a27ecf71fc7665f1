"""Coming back into a pool from inside of it: from a reset, a finalizer, a collection, a signal."""

import gc
import signal
from typing import Any

import pytest
from pool_samples import Tool, check_books, tool_pool

from poolware import Context, ObjectPool, field
from poolware._core.proof import ARGUMENT_SHOWS_CALLER


def test_reset_that_uses_the_same_pool():
    """H35."""

    def reset(tool):
        depth.append(1)
        if len(depth) < 4:
            with pool.lease() as other:
                assert other is not tool
        depth.pop()
        tool.reset()

    depth: list[int] = []
    pool = ObjectPool(Tool, reset=reset)
    for _ in range(3):
        held = [pool.acquire()]
        pool.release(held.pop())
    stats = check_books(pool)
    assert (stats.in_use, stats.reset_errors) == (0, 0)
    assert stats.acquired >= 3 * 4


def test_factory_that_uses_the_same_pool():
    """H35."""

    def factory():
        if len(pools) and pools[0].get_stats().created == 0 and not nested:
            nested.append(1)
            with pools[0].lease():
                pass
        return Tool()

    nested: list[int] = []
    pools: list[ObjectPool[Tool]] = []
    pools.append(ObjectPool(factory, reset=Tool.reset))
    with pools[0].lease():
        pass
    assert check_books(pools[0]).in_use == 0
    assert nested == [1]


def test_validate_that_uses_the_same_pool():
    """H35."""

    def validate(tool):
        with pool.lease() as other:
            return other is not tool

    pool = tool_pool(validate=validate, prewarm=3)
    held = [pool.acquire()]
    assert len(held) == 1
    assert check_books(pool).in_use == 1


class Job(Context):
    user: Any = None
    tool: Tool = field(factory=Tool, reset=Tool.reset)


@pytest.mark.skipif(not ARGUMENT_SHOWS_CALLER, reason="what is released by hand counts as held: 3.14")
def test_value_whose_end_uses_the_same_pool():
    """H35: its finalizer runs in the middle of the release that drops it."""

    class Last:
        def __del__(self):
            with pool.lease() as job:
                seen.append((job.user, id(job)))

    seen: list[Any] = []
    pool = ObjectPool(Job)
    for _ in range(3):
        held = [pool.acquire()]
        identity = id(held[0])
        held[0].user = Last()
        pool.release(held.pop())
        assert (len(seen), seen.pop()[0]) == (1, None)
        assert identity in {id(job) for job in pool._idle}
    assert check_books(pool).in_use == 0


@pytest.mark.parametrize("kind", [Job, Tool])
def test_collection_inside_of_the_pool(kind):
    """H35: a finalizer that acquires and releases runs wherever the collector does; here at each allocation."""

    class Garbage:
        def __init__(self):
            self.me = self

        def __del__(self):
            ran.append(1)
            pool.release(pool.acquire())

    ran: list[int] = []
    pool: ObjectPool[Any] = ObjectPool(Job) if kind is Job else tool_pool()
    threshold = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        for _ in range(30):
            Garbage()
            held = [pool.acquire(), pool.acquire()]
            pool.release(held.pop())
            pool.get_stats()
            pool.release(held.pop())
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    assert len(ran) == 30
    stats = check_books(pool)
    assert (stats.in_use, stats.acquired, stats.lost) == (0, 30 * 3, 0)


def test_object_whose_own_end_uses_the_pool():
    """H35: dropped while the pool is letting go of it, under its lock."""

    class Restless(Tool):
        def __del__(self):
            if not over:
                pool.release(pool.acquire())

    over: list[int] = []
    pool = ObjectPool(Restless, reset=Restless.reset, max_idle=4, prewarm=4)
    pool.clear()
    over.append(1)
    assert check_books(pool, cleared=4).idle <= 4


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no such signals here")
def test_signal_handler_that_uses_the_same_pool():
    """H35: between any two instructions, on the main thread."""
    pool = ObjectPool(Job)
    handled: list[int] = []

    def handle(*_args):
        handled.append(1)
        pool.release(pool.acquire())
        pool.prewarm(1)

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
    try:
        for _ in range(100_000):
            pool.release(pool.acquire())
            if len(handled) >= 20:
                break
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert handled
    assert check_books(pool).in_use == 0
