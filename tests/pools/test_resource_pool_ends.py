"""A resource pool ends in the middle of something."""

import asyncio
import threading

import pytest
from interrupts import Interrupt
from resource_samples import PATIENCE, Resource, agree, in_thread, resource_pool, wait_until

from poolware import PoolClosed
from poolware._core.wakeups import ThreadWakeup
from poolware.pools.resources.closing import draining


def test_who_waits_until_the_pool_is_ready_is_told_that_it_is_closed():
    """H33: at once, and not after the timeout."""
    go_on = threading.Event()

    def factory():
        go_on.wait(PATIENCE)
        return Resource()

    pool = resource_pool(factory, min_size=1, timeout=None)
    thread, results = in_thread(pool.wait_ready)
    wait_until(lambda: pool._stock.grown)
    pool.close()
    thread.join(PATIENCE)
    assert isinstance(results[0], PoolClosed)
    go_on.set()
    wait_until(lambda: agree(pool).destroyed == {"closed": 1})


def test_draining_goes_on_when_something_is_out_again():
    """As while a resting resource is validated in the background."""
    pool = resource_pool(timeout=None)
    held = pool.acquire()
    steps = draining(pool._stock, ThreadWakeup(), None)
    next(steps)
    steps.send(True)
    pool.release(held)
    with pytest.raises(StopIteration):
        steps.send(True)
    assert pool._stock.emptied == []


def test_an_interrupt_while_the_resources_are_destroyed():
    """H18: each of them is destroyed, once, and the interrupt passes on after that."""
    destroyed = []

    def destroy(resource):
        destroyed.append(resource.number)
        if len(destroyed) == 2:
            raise Interrupt

    pool = resource_pool(destroy=destroy, min_size=4)
    pool.wait_ready()
    with pytest.raises(Interrupt):
        pool.close()
    assert len(destroyed) == len(set(destroyed)) == 4
    assert agree(pool).destroy_errors == 1


def test_a_task_that_is_cancelled_while_it_closes_the_pool():
    """H18: as an interrupt."""
    closed, first = [], asyncio.Event()

    async def factory():
        return Resource()

    async def destroy(resource):
        closed.append(resource.number)
        first.set()
        await asyncio.sleep(0)

    pool = resource_pool(factory, destroy=destroy, min_size=4)

    async def main():
        await pool.await_ready()
        task = asyncio.create_task(pool.aclose())
        await first.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert len(closed) == len(set(closed)) == 4
