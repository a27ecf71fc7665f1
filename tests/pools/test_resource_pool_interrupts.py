"""A signal handler raises in the middle of a pool's work: no slot is lost, no resource is in two hands (H18)."""

import sys
from contextlib import contextmanager, suppress

import pytest
from interrupts import Interrupt
from resource_samples import Resource, agree, grow_older, in_thread, resource_pool, wait_until

from poolware._core.proof import REUSE_REFUSED
from poolware.pools import resources

pytestmark = pytest.mark.skipif(REUSE_REFUSED is not None, reason="what an interrupt drops is found by its count")
OURS = resources.__path__[0]


@contextmanager
def interrupt(number):
    """Raise where CPython looks for signals: as a function begins, and after a call of a C function."""
    left = [number]

    def look(frame, event, _function):
        if event in {"call", "c_return"} and frame.f_code.co_filename.startswith(OURS):
            left[0] -= 1
            if left[0] < 0:
                sys.setprofile(None)
                raise Interrupt

    sys.setprofile(look)
    try:
        yield left
    finally:
        sys.setprofile(None)


def interrupted_everywhere(pool, act, clean_up=lambda: None):
    """Call `act` with an interrupt in each place in turn, and look at the pool each time."""
    for number in range(10_000):
        with suppress(Interrupt), interrupt(number) as left:
            act()
        clean_up()
        assert_whole(pool)
        if left[0] >= 0:
            assert number > 5
            return
    raise AssertionError


def assert_whole(pool):
    pool._look_after()
    wait_until(lambda: not pool.get_stats().busy)
    held = [pool.acquire(priority="high") for _ in range(2)]
    assert len({resource.number for resource in held}) == 2
    assert not any(resource.closed for resource in held)
    for resource in held:
        pool.release(resource)
    stats = agree(pool)
    assert (stats.in_use, stats.busy, stats.waiting) == (0, 0, 0)


SLOWER = {
    "as it is": {},
    "first in, first out": {"order": "fifo"},
    "validated": {"validate": lambda _resource: True, "validate_after": 0, "validate_timeout": None},
    "validated on release": {
        "validate": lambda _resource: True,
        "validate_on": ["release"],
        "validate_timeout": None,
        "reset": lambda _resource: None,
    },
    "traced": {"leak_detection": "full"},
    "shares": {"reserved": {"high": 1}},
}


@pytest.fixture(params=SLOWER)
def pool(request):
    return resource_pool(Resource, max_size=2, **SLOWER[request.param])


def test_an_interrupt_anywhere_while_something_is_acquired_and_released(pool):
    def act():
        pool.release(pool.acquire(priority="high"))

    interrupted_everywhere(pool, act)


def test_an_interrupt_anywhere_while_another_waits(pool):
    """It is served all the same."""
    threads = []

    def act():
        held = [pool.acquire(priority="high") for _ in range(2)]
        threads.append(in_thread(lambda: pool.release(pool.acquire(priority="high"))))
        wait_until(lambda: pool.get_stats().waiting)
        for resource in held:
            pool.release(resource)

    def clean_up():
        pool._look_after()
        while threads:
            thread, results = threads.pop()
            thread.join()
            assert results == [None]

    interrupted_everywhere(pool, act, clean_up)


def test_an_interrupt_anywhere_while_the_pool_is_looked_after(pool):
    def act():
        grow_older(pool, 400)
        pool._look_after()
        pool.clear()
        pool.resize(max_size=2)

    interrupted_everywhere(pool, act)
