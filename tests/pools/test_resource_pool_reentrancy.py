"""A finalizer, or a signal handler, uses a resource pool in the middle of that pool's own work (H35)."""

import sys
from contextlib import contextmanager

import pytest
from resource_samples import agree, grow_older, in_thread, resource_pool, wait_until

from poolware.pools import resources

OURS = resources.__path__[0]
OPTIONS = {
    "nothing to undo": {"reset": None},
    "nothing to undo, first in, first out": {"reset": None, "order": "fifo"},
    "reset": {},
    "first in, first out": {"order": "fifo"},
    "validated": {"validate": lambda _resource: True, "validate_after": 0, "validate_timeout": None},
    "shares": {"reserved": {"high": 1}},
}


@contextmanager
def finalizer(number, finalize):
    """Call `finalize` as a function of the pool begins, or after its call of a C function: the n-th of them."""
    left = [number]

    def look(frame, event, _function):
        if event in {"call", "c_return"} and frame.f_code.co_filename.startswith(OURS):
            left[0] -= 1
            if left[0] < 0:
                sys.setprofile(None)
                finalize()

    sys.setprofile(look)
    try:
        yield left
    finally:
        sys.setprofile(None)


@pytest.fixture(params=OPTIONS)
def options(request):
    return OPTIONS[request.param]


def finalized_everywhere(options, act):
    """Call `act` with a pool that is looked after, while a finalizer releases something, in each place in turn."""
    owned = []
    for number in range(10_000):
        pool = resource_pool(**{"max_size": 3, "reset": lambda _: owned.append(pool._stock.lock._is_owned())} | options)  # noqa: B023
        extra = pool.acquire(priority="high")
        with finalizer(number, lambda pool=pool, extra=extra: pool.release(extra)) as left:
            act(pool)
        if left[0] >= 0:
            assert number > 20
            break
        wait_until(lambda pool=pool: not pool.get_stats().busy)
        held = [pool.acquire(priority="high", timeout=5) for _ in range(3)]
        assert len({resource.number for resource in held}) == 3
        for resource in held:
            pool.release(resource)
        stats = agree(pool)
        assert (stats.in_use, stats.waiting, stats.timeouts) == (0, 0, 0)
        pool.close()
    assert not any(owned), "a hook ran under the lock"


def test_a_release_while_something_is_acquired_and_released(options):
    def act(pool):
        for resource in [pool.acquire(priority="high") for _ in range(2)]:
            pool.release(resource)

    finalized_everywhere(options, act)


def test_a_release_while_others_wait(options):
    """Each of them is served."""

    def act(pool):
        held = [pool.acquire(priority="high") for _ in range(2)]
        others = [in_thread(lambda: pool.release(pool.acquire(priority="high"))) for _ in range(2)]
        wait_until(lambda: pool.get_stats().waiting + pool.get_stats().released >= 2)
        for resource in held:
            pool.release(resource)
        for thread, results in others:
            thread.join()
            assert results == [None]

    finalized_everywhere(options, act)


def test_a_release_while_the_pool_is_looked_after(options):
    def act(pool):
        pool.release(pool.acquire(priority="high"))
        grow_older(pool, 400)
        pool._look_after()
        pool.clear()
        pool.resize(max_size=3)
        str(pool)

    finalized_everywhere(options, act)


def test_figures_while_something_is_acquired(options):
    """A look at the pool disturbs nothing."""
    pool = resource_pool(**options)
    for number in range(10_000):
        with finalizer(number, pool.get_stats) as left:
            pool.release(pool.acquire(priority="high"))
        if left[0] >= 0:
            break
    agree(pool)
