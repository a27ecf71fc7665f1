"""A child process starts with empty pools of its own; nothing is in two processes."""

import math
import os
import pickle
import sys
import threading
import traceback

import pytest
from pool_samples import Tool, makers, tool_pool

from poolware import (
    AlreadyReleased,
    BufferPool,
    BufferReleased,
    Context,
    ForeignObject,
    ObjectPool,
    RequestContext,
    Watermark,
)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="no fork here")


def in_child(function):
    """What `function` returns in a forked child."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            answer = function()
        except BaseException:
            answer = traceback.format_exc()
        os.write(writing, pickle.dumps(answer))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pickle.loads(pipe.read())
    os.waitpid(pid, 0)
    return answer


class Job(Context):
    name: str = ""


MAKERS = makers(Job)


@pytest.fixture(params=MAKERS)
def pool(request):
    made = MAKERS[request.param]()
    made.release(made.acquire())
    made.prewarm(3)
    return made


def test_child_starts_with_fresh_statistics(pool):
    """H26."""
    held = [pool.acquire()]
    stats = in_child(pool.get_stats)
    assert (stats.idle, stats.in_use, stats.quarantined) == (0, 0, 0)
    assert (stats.acquired, stats.released, stats.created, stats.hits, stats.misses, stats.lost) == (0,) * 6
    assert pool.get_stats().in_use == len(held)


def test_child_works_with_objects_of_its_own(pool):
    """H26: what rested in the parent's pool is not handed out in the child."""
    resting = {id(obj) for obj in pool._idle}
    kept = list(pool._idle)

    def child():
        held = [pool.acquire() for _ in range(3)]
        shared = resting & {id(obj) for obj in held}
        while held:
            pool.release(held.pop())
        return shared, pool.get_stats()

    shared, stats = in_child(child)
    assert (shared, len(kept)) == (set(), 3)
    assert (stats.acquired, stats.released, stats.created, stats.idle, stats.in_use) == (3, 3, 3, 3, 0)


def test_release_of_an_inherited_object_does_not_raise(pool):
    """H26: once; it does not go into the child's pool."""
    obj = pool.acquire()

    def child():
        pool.release(obj)
        try:
            pool.release(obj)
        except (AlreadyReleased, ForeignObject):
            return pool.get_stats()
        return "released twice"

    stats = in_child(child)
    assert (stats.idle, stats.in_use) == (0, 0)
    pool.release(obj)
    assert pool.get_stats().in_use == 0


def test_inherited_object_is_reset():
    """Invariant 2, in the child as well."""
    pool = tool_pool()
    tool = pool.acquire()
    tool.owner = "parent"

    def child():
        pool.release(tool)
        return tool.owner, tool.resets

    assert in_child(child) == (None, 1)
    assert tool.owner == "parent"


def test_request_that_forks_can_finish_in_the_child():
    """H26."""
    pool = ObjectPool(RequestContext)
    scope = {"type": "http", "method": "GET", "path": "/"}
    pool._kind.cycle.begin(scope)

    def child():
        pool._kind.cycle.finish(scope)
        return dict(scope), pool.get_stats().in_use

    assert in_child(child) == ({"type": "http", "method": "GET", "path": "/"}, 0)
    pool._kind.cycle.finish(scope)
    assert pool.get_stats().released == 1


def test_parents_pool_is_unharmed(pool):
    """H26."""
    before = pool.get_stats()

    def child():
        pool.clear()
        pool.acquire()

    in_child(child)
    assert pool.get_stats() == before


def test_lock_that_was_held_at_the_fork_is_free_in_the_child(pool):
    """H26: another thread was inside."""
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with pool._lock:
            inside.set()
            leave.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()
    try:
        assert in_child(lambda: (pool.clear(), type(pool.acquire()).__name__)[1]) in ("Job", "Tool")
    finally:
        leave.set()
        thread.join()


def test_buffers_start_anew_in_the_child():
    """H26: statistics, resting memory, and what is in quarantine."""
    pool = BufferPool()
    pool.acquire(10).release()
    held = pool.acquire(5000)
    released = pool.acquire(10)
    view = released.view()
    released.release()

    def child():
        stats = [pool.get_stats()]
        held.release()
        stats.append(pool.get_stats())
        with pool.lease(10) as buffer:
            buffer.write(b"child")
        stats.append(pool.get_stats())
        return stats

    for stats in in_child(child):
        assert stats.acquired == stats.released + stats.in_use
        assert stats.created == stats.idle + stats.in_use + stats.quarantined + stats.dropped
        assert min(stats.released, stats.acquired, stats.in_use, stats.hits) >= 0
        assert stats.in_use == stats.quarantined == 0
    assert bytes(view) == bytes(1024)
    held.write(b"parent")
    held.release()
    assert pool.get_stats().in_use == 0


def test_pools_can_be_forgotten():
    """The list of pools that start anew keeps none of them alive."""
    import gc

    from poolware.pools import forks

    gc.collect()  # what other tests have left is not counted
    before = len(forks._pools)
    made = [ObjectPool(Tool, reset=None), BufferPool()]
    assert len(forks._pools) == before + len(made)
    made.clear()
    gc.collect()
    assert len(forks._pools) <= before


def test_release_of_an_inherited_buffer_leaves_its_views_alone():
    pool = BufferPool(tiers=(16,))
    buffer = pool.acquire(10)
    buffer.write(b"spam")
    view = buffer.view(0, 4)

    def child():
        buffer.release()
        return bytes(view), pool.get_stats().idle

    assert in_child(child) == (b"spam", 0)


def test_an_inherited_buffer_tells_who_released_it(monkeypatch):
    monkeypatch.setenv("POOLWARE_MODE", "debug")
    buffer = BufferPool(tiers=(16,)).acquire(10)

    def released_in_child():
        buffer.release()
        try:
            buffer.tell()
        except BufferReleased as error:
            return str(error)

    assert "in released_in_child" in in_child(released_in_child)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_builds_ahead_although_the_parent_was_in_the_middle_of_it():
    """H26: the parent's thread, which would have said that it is done, does not exist there."""
    pool = tool_pool(growth=Watermark(0.5, period=0.002))
    pool._tending.grower._not_before = math.inf

    def child():
        held = [pool.acquire() for _ in range(4)]
        waited = threading.Event()
        for _ in range(2000):
            if pool.get_stats().idle:
                break
            waited.wait(0.005)
        return len(held), pool.get_stats()

    _, stats = in_child(child)
    assert (stats.in_use, stats.idle, stats.misses) == (4, 4, 4)
    pool.close()
    assert pool.get_stats().created == 0
