"""ResourcePool: resources that belong to event loops, and pools that outlive them."""

import asyncio
import threading

import pytest
import trio
from resource_samples import PATIENCE, Resource, agree, resource_pool, until_waiting, wait_until

from poolware import PoolTimeout
from poolware.pools.resources import upkeep

ON_LOOPS = pytest.mark.parametrize("run", [lambda main: asyncio.run(main()), trio.run], ids=["asyncio", "trio"])


class Connection(Resource):
    """Closed by a coroutine."""

    async def aclose(self):
        self.close()


async def connect():
    return Connection()


@ON_LOOPS
def test_a_pool_made_at_import_belongs_to_no_loop(run):
    """H27"""
    pool = resource_pool(connect)

    async def use():
        async with pool.alease() as connection:
            assert not connection.closed

    run(use)
    assert agree(pool).idle == 1


def test_each_loop_gets_resources_of_its_own():
    """H27"""
    pool = resource_pool(connect)
    connections, both = [], threading.Barrier(2)

    async def use():
        async with pool.alease() as connection:
            await asyncio.to_thread(both.wait)
            connections.append(connection)
            async with pool.alease() as other:
                assert other is not connection
            await asyncio.to_thread(both.wait)
        async with pool.alease() as again:
            assert again in {connection, other}

    threads = [threading.Thread(target=asyncio.run, args=(use(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(connections)) == 2
    assert agree(pool).created == 4


def test_what_rests_for_a_loop_that_ended_makes_room():
    """H27: a full pool is not full of what nobody can use."""
    pool = resource_pool(connect, max_size=1)

    async def use():
        async with pool.alease() as connection:
            return connection

    first = asyncio.run(use())
    assert asyncio.run(use()) is not first
    assert trio.run(use) is not first
    stats = agree(pool)
    assert stats.created == 3
    assert stats.destroyed == {"other_loop": 2}


def test_the_heartbeat_lets_go_of_what_rests_for_a_loop_that_ended():
    """H27"""
    pool = resource_pool(connect)

    async def use():
        async with pool.alease():
            pass

    asyncio.run(use())
    upkeep.look_after(pool._stock)
    assert agree(pool).destroyed == {"loop_ended": 1}


def test_what_comes_back_after_its_loop_has_ended_is_let_go_of():
    """H27"""
    pool = resource_pool(connect, reset=lambda _: asyncio.sleep(0))
    connection = asyncio.run(pool.aacquire())
    pool.release(connection)
    assert agree(pool).destroyed == {"loop_ended": 1}


def test_a_waiter_whose_loop_has_ended_is_passed_over():
    """H27: what was meant for it goes to the next."""
    pool = resource_pool(max_size=1)
    resource = pool.acquire()
    loop = asyncio.new_event_loop()
    task = loop.create_task(pool.aacquire())
    loop.run_until_complete(asyncio.wait_for(until_waiting(pool, 1), PATIENCE))
    loop.close()
    thread = threading.Thread(target=lambda: pool.release(pool.acquire()))
    thread.start()
    wait_until(lambda: pool.get_stats().waiting == 2)
    pool.release(resource)
    thread.join()
    assert agree(pool).idle == 1
    task._log_destroy_pending = False


def test_loops_take_turns_on_a_full_pool():
    """H28: whoever is next gets a place, if need be that of a resource of another loop."""
    pool = resource_pool(connect, max_size=1)
    done = threading.Barrier(3)

    async def use():
        for _ in range(5):
            async with pool.alease():
                await asyncio.sleep(0)
        await asyncio.to_thread(done.wait)

    threads = [threading.Thread(target=asyncio.run, args=(use(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    done.wait(PATIENCE)
    for thread in threads:
        thread.join()
    assert agree(pool).acquired == 10


@ON_LOOPS
def test_closed_on_the_loop(run):
    pool = resource_pool(connect)

    async def use():
        async with pool, pool.alease() as first:
            pass
        assert first.closed

    run(use)
    assert agree(pool).destroyed == {"closed": 1}


@ON_LOOPS
def test_drained_on_the_loop(run):
    pool = resource_pool()

    async def use():
        resource = await pool.aacquire()
        with pytest.raises(PoolTimeout, match=r"not everything has come back within 0.01 s; 1 of 4 in use"):
            await pool.adrain(timeout=0.01)
        pool.release(resource)
        await pool.adrain()

    run(use)


def test_a_task_cancelled_while_its_resource_is_being_made_costs_nothing():
    """H18: it goes to the next one, or rests."""

    async def slow():
        await asyncio.sleep(0.01)
        return Connection()

    async def use():
        pool = resource_pool(slow, max_size=1)
        task = asyncio.create_task(pool.aacquire())
        await until_waiting(pool, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with pool.alease():
            pass
        assert agree(pool).created == 1
        await pool.aclose()

    asyncio.run(use())


def test_a_loop_that_ends_while_it_makes_one_gives_the_place_back():
    """H27, H29"""

    async def never():
        await asyncio.sleep(3600)

    pool = resource_pool(never, max_size=1)

    async def give_up():
        with pytest.raises(PoolTimeout):
            await pool.aacquire(timeout=0.01)

    asyncio.run(give_up())
    assert agree(pool).creating == 0


def test_a_request_leaves_nothing_of_its_context_behind():
    """H10: what runs in the background runs in a context of its own."""
    import contextvars

    variable, seen = contextvars.ContextVar("user", default=None), []

    async def factory():
        seen.append(variable.get())
        return Connection()

    async def use():
        variable.set("alice")
        pool = resource_pool(factory)
        async with pool.alease():
            pass

    asyncio.run(use())
    assert seen == [None]
