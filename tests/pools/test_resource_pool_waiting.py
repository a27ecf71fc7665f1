"""ResourcePool: who waits, for how long, and who is next."""

import asyncio
import threading

import pytest
import trio
from resource_samples import agree, in_thread, resource_pool, until_waiting, wait_until

from poolware import BadOption, PoolClosed, PoolTimeout, TooManyWaiting
from poolware.pools.resources.waiting import PRIORITIES


@pytest.fixture
def pool():
    """A pool of one."""
    pool = resource_pool(max_size=1)
    yield pool
    agree(pool)
    pool.close(timeout=0)


def waiting(pool, count):
    wait_until(lambda: pool.get_stats().waiting == count)


def test_a_timeout_names_the_pool_and_its_numbers(pool):
    """H33"""
    pool.acquire()
    with pytest.raises(PoolTimeout, match=r"'db'.*within 0.01 s; 1 of 1 in use, the longest for 0.\d s, 1 waiting"):
        pool.acquire(timeout=0.01)
    assert pool.get_stats().timeouts == 1
    assert pool.get_stats().waiting == 0


def test_no_time_at_all(pool):
    pool.release(pool.acquire())
    resource = pool.acquire(timeout=0)
    with pytest.raises(PoolTimeout):
        pool.acquire(timeout=0)
    pool.release(resource)


@pytest.mark.parametrize("run", [asyncio.run, trio.run], ids=["asyncio", "trio"])
def test_a_timeout_on_a_loop(pool, run):
    pool.acquire()

    async def wait():
        with pytest.raises(PoolTimeout, match="1 of 1 in use"):
            await pool.aacquire(timeout=0.01)

    run(wait if run is trio.run else wait())


def test_what_comes_back_goes_straight_to_who_waits(pool):
    """H28: nobody who comes later gets it first."""
    resource = pool.acquire()
    thread, results = in_thread(pool.acquire)
    waiting(pool, 1)
    pool.release(resource)
    with pytest.raises(PoolTimeout):
        pool.acquire(timeout=0)
    thread.join()
    assert results == [resource]
    pool.release(resource)


def test_first_come_first_served(pool):
    """H28"""
    resource, order, threads = pool.acquire(), [], []

    def take(number):
        with pool.lease():
            order.append(number)

    for number in range(20):
        threads.append(threading.Thread(target=take, args=(number,)))
        threads[-1].start()
        waiting(pool, number + 1)
    pool.release(resource)
    for thread in threads:
        thread.join()
    assert order == list(range(20))


def test_higher_classes_go_first():
    pool = resource_pool(max_size=1, ageing=1000.0)
    resource, order, threads = pool.acquire(), [], []

    def take(priority):
        with pool.lease(priority=priority):
            order.append(priority)

    for number, priority in enumerate(reversed(PRIORITIES)):
        threads.append(threading.Thread(target=take, args=(priority,)))
        threads[-1].start()
        waiting(pool, number + 1)
    pool.release(resource)
    for thread in threads:
        thread.join()
    assert order == list(PRIORITIES)


def test_ageing_lets_the_lowest_class_have_its_turn():
    """H28: priority ages."""
    pool = resource_pool(max_size=1, ageing=1.0)
    resource, order = pool.acquire(), []

    def take(priority):
        with pool.lease(priority=priority):
            order.append(priority)

    low, _ = in_thread(lambda: take("low"))
    waiting(pool, 1)
    for waiter in pool._stock.queue:
        waiter.arrived -= 3.5  # three classes are worth three seconds
    high, _ = in_thread(lambda: take("critical"))
    waiting(pool, 2)
    pool.release(resource)
    low.join()
    high.join()
    assert order == ["low", "critical"]


def test_a_reserved_share_is_kept():
    pool = resource_pool(max_size=3, reserved={"critical": 1, "high": 1})
    normal = pool.acquire()
    with pytest.raises(PoolTimeout):
        pool.acquire(timeout=0.01)
    high = pool.acquire(priority="high")
    with pytest.raises(PoolTimeout):
        pool.acquire(timeout=0.01, priority="high")
    critical = pool.acquire(priority="critical")
    for resource in (critical, high, normal):
        pool.release(resource)
    pool.close()


def test_a_lower_class_waits_while_a_share_is_free():
    pool = resource_pool(max_size=2, reserved={"critical": 1})
    normal = pool.acquire()
    low, results = in_thread(lambda: pool.acquire(priority="low"))
    waiting(pool, 1)
    critical = pool.acquire(priority="critical")
    assert results == []
    pool.release(critical)
    assert pool.get_stats().waiting == 1
    pool.release(normal)
    low.join()
    pool.release(results[0])
    pool.close()


@pytest.mark.parametrize("limit", [0, 2])
def test_too_many_waiting(limit):
    pool = resource_pool(max_size=1, max_waiting=limit)
    resource = pool.acquire()
    threads = [in_thread(pool.acquire) for _ in range(limit)]
    waiting(pool, limit)
    with pytest.raises(TooManyWaiting, match=rf"'db': {limit} wait already \(max_waiting\); 1 of 1 in use"):
        pool.acquire()
    assert pool.get_stats().turned_away == 1
    pool.release(resource)
    for thread, results in threads:
        thread.join()
        pool.release(results[0])
    agree(pool)


def test_a_cancelled_task_leaves_the_queue(pool):
    """H18"""
    resource = pool.acquire()

    async def give_up():
        task = asyncio.create_task(pool.aacquire())
        await until_waiting(pool, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(give_up())
    assert pool.get_stats().waiting == 0
    pool.release(resource)
    assert pool.acquire(timeout=0) is resource


def test_cancelled_at_the_moment_of_the_hand_over(pool):
    """H18: what was handed over goes to the next one, and the cancellation is not swallowed."""
    resource = pool.acquire()

    async def give_up():
        first = asyncio.create_task(pool.aacquire())
        second = asyncio.create_task(pool.aacquire())
        await until_waiting(pool, 2)
        pool.release(resource)  # handed to the first, which has not run since
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await second is resource
        pool.release(resource)

    asyncio.run(give_up())
    assert pool.get_stats().in_use == 0


def test_cancelled_in_trio_at_the_moment_of_the_hand_over(pool):
    """H18"""
    resource = pool.acquire()

    async def give_up():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pool.aacquire)
            while pool.get_stats().waiting < 1:
                await trio.lowlevel.checkpoint()
            pool.release(resource)
            nursery.cancel_scope.cancel()

    trio.run(give_up)
    assert pool.get_stats().in_use == 0
    assert pool.acquire(timeout=0) is resource


def test_everybody_who_waits_hears_that_the_pool_is_closed(pool):
    pool.acquire()
    threads = [in_thread(pool.acquire) for _ in range(3)]
    waiting(pool, 3)
    pool.close(timeout=0)
    for thread, results in threads:
        thread.join()
        assert isinstance(results[0], PoolClosed)


@pytest.mark.parametrize("priority", ["urgent", 1, None])
def test_an_unknown_class(pool, priority):
    """H40"""
    with pytest.raises(BadOption, match="it takes 'critical', 'high', 'normal', 'low'"):
        pool.acquire(priority=priority)


def test_wait_times_are_counted(pool):
    resource = pool.acquire()
    thread, results = in_thread(pool.acquire)
    waiting(pool, 1)
    for waiter in pool._stock.queue:
        waiter.arrived -= 5
    before = pool.get_stats()
    pool.release(resource)
    thread.join()
    stats = pool.get_stats()
    assert stats.wait.count == before.wait.count + 1
    assert stats.wait.max >= 5
    assert stats.wait.total >= before.wait.total + 5
    pool.release(results[0])
