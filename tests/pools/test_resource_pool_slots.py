"""However the making of a resource ends, its slot can be used again (H29)."""

import asyncio
import threading

import pytest
import trio
from interrupts import Interrupt
from resource_samples import PATIENCE, Resource, agree, in_thread, resource_pool, wait_until

from poolware import ConfigurationError, PoolTimeout


def assert_whole(pool, size):
    """Nothing is being made, and as many as may exist can be had at once."""
    wait_until(lambda: pool.get_stats().creating == 0)

    async def hold_all():
        return [await pool.aacquire() for _ in range(size)]

    assert len(asyncio.run(hold_all())) == size
    agree(pool)


def test_a_factory_that_returns_what_the_pool_has_is_not_called_again_and_again():
    """It is a mistake in the program: those who ask are told, and nobody tries again by himself."""
    calls, one = [], Resource()

    def factory():
        calls.append(None)
        return one

    pool = resource_pool(factory, min_size=2)
    assert pool.acquire() is one
    wait_until(lambda: pool.get_stats().creation_errors)
    with pytest.raises(ConfigurationError, match="has already"):
        pool.acquire()
    wait_until(lambda: not pool.get_stats().creating)
    pool._look_after()
    assert len(calls) == 3
    assert agree(pool).created == 1


def test_two_calls_of_the_factory_that_return_the_same_resource_at_once():
    """H12: it is one resource, lent to one caller."""
    both, one = threading.Barrier(2), Resource()

    def factory():
        both.wait(PATIENCE)
        return one

    pool = resource_pool(factory, min_size=2)
    with pytest.raises(ConfigurationError, match="has already"):
        pool.wait_ready()
    assert agree(pool).created == 1


def test_a_factory_that_works_again():
    """What was wrong with it may have been put right."""
    made = [Resource()]
    pool = resource_pool(lambda: made[-1], min_size=2)
    with pytest.raises(ConfigurationError):
        pool.wait_ready()
    pool._settings.factory.function = Resource
    pool.wait_ready()
    assert agree(pool).idle == 2


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
def test_a_factory_that_raises_what_is_no_exception(error):
    """It has failed like any other: again after a while, and who waits is told why."""
    pool = resource_pool(fails_twice := Failing(2, error()))
    resource = pool.acquire()
    assert len(fails_twice.calls) == 3
    assert pool.get_stats().creation_errors == 2
    pool.release(resource)


class Failing:
    def __init__(self, times, error):
        self.times = times
        self.error = error
        self.calls = []

    def __call__(self):
        self.calls.append(None)
        if len(self.calls) <= self.times:
            raise self.error
        return Resource()


def test_an_async_factory_that_is_cancelled_by_itself():
    """As by a client whose own time limit leaks: the pool's task goes on."""
    failing = Failing(10_000, asyncio.CancelledError())

    async def factory():
        return failing()

    pool = resource_pool(factory)

    async def main():
        with pytest.raises(PoolTimeout, match="CancelledError"):
            await pool.aacquire(timeout=0.3)

    asyncio.run(main())
    assert len(failing.calls) < 10
    failing.times = 0
    assert_whole(pool, 4)


@pytest.mark.parametrize("run", [asyncio.run, trio.run], ids=["asyncio", "trio"])
def test_a_loop_that_ends_while_something_is_made_on_it(run):
    """H27: another loop gets the slot."""
    quick = [None]

    async def factory():
        if not quick:
            await (asyncio.sleep if run is asyncio.run else trio.sleep)(PATIENCE)
        quick.clear()
        return Resource()

    pool = resource_pool(factory, min_size=2, max_size=2)

    async def main():
        pool.release(await pool.aacquire())

    run(main() if run is asyncio.run else main)
    wait_until(lambda: not pool.get_stats().creating)
    pool._settings.factory.function = Resource
    assert_whole(pool, 2)


def test_a_loop_that_is_closed_before_it_has_begun_to_make_anything():
    """H27: another loop gets the slot."""

    async def factory():
        return Resource()

    pool = resource_pool(factory, min_size=1, max_size=1)
    loop = asyncio.new_event_loop()
    pool._stock.home = loop
    pool._stock.settle()
    assert pool.get_stats().creating == 1
    loop.close()
    assert_whole(pool, 1)


def test_an_eviction_policy_that_raises(caplog):
    """H29: what it was asked about stays; nothing is lost on the way."""
    answers = iter([True, ZeroDivisionError])

    def evict(_resting):
        answer = next(answers)
        if answer is not True:
            raise answer
        return answer

    pool = resource_pool(eviction=evict)
    for resource in [pool.acquire(), pool.acquire()]:
        pool.release(resource)
    pool._look_after()
    assert "eviction of pool 'db' failed" in caplog.text
    assert agree(pool).destroyed == {"evicted": 1}
    wait_until(lambda: pool.get_stats().idle == 1)


def test_an_eviction_policy_that_uses_the_pool():
    """It is asked without the lock: another thread can go on meanwhile."""

    def evict(_resting):
        thread, results = in_thread(pool.get_stats)
        thread.join(PATIENCE)
        return bool(results)

    pool = resource_pool(eviction=evict)
    pool.release(pool.acquire())
    pool._look_after()
    assert agree(pool).destroyed == {"evicted": 1}


def test_a_busy_loop_does_not_keep_everything_among_its_own():
    """H28: who is next on another loop gets the place of a resource, although the busy loop would have use for it."""

    async def factory():
        return Resource()

    pool = resource_pool(factory, max_size=2)
    served, busy = threading.Event(), threading.Barrier(2)

    async def greedy():
        async def use():
            while not served.is_set():
                async with pool.alease():
                    await asyncio.sleep(0)

        users = [asyncio.create_task(use()) for _ in range(5)]
        while pool.get_stats().waiting < 3:  # noqa: ASYNC110 - the pool tells nobody
            await asyncio.sleep(0)
        await asyncio.to_thread(busy.wait, PATIENCE)
        await asyncio.gather(*users)

    async def modest():
        async with pool.alease(timeout=PATIENCE / 2):
            pass

    thread, results = in_thread(lambda: asyncio.run(greedy()))
    busy.wait(PATIENCE)
    try:
        asyncio.run(modest())
    finally:
        served.set()
        thread.join()
    assert results == [None]
    assert agree(pool).destroyed["other_loop"] >= 1


@pytest.mark.parametrize(
    ("run", "error"), [(asyncio.run, Interrupt), (trio.run, Interrupt), (trio.run, KeyboardInterrupt)]
)
def test_a_hook_in_the_background_that_raises_what_is_no_exception(run, error, caplog):
    """H29: the resource is discarded, and the loop goes on; trio would take it for an error of its own."""

    async def factory():
        return Resource()

    async def reset(_resource):
        raise error

    pool = resource_pool(factory, reset=reset, max_size=1)

    async def main():
        for _ in range(3):
            pool.release(await pool.aacquire())
        await pool.aclose()

    run(main() if run is asyncio.run else main)
    assert agree(pool).destroyed == {"interrupted": 2, "closed": 1}
    assert "work in the background failed" in caplog.text
