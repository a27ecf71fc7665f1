"""A task that waits for a resource is cancelled at any of the moments at which it may be (H18)."""

import anyio
import pytest
from anyio.lowlevel import checkpoint
from resource_samples import PATIENCE, Resource, agree, resource_pool

pytestmark = pytest.mark.parametrize("backend", ["asyncio", "trio"])
STEPS = 40
"""More than it takes to acquire a resource."""


async def yes(_resource):
    await checkpoint()
    return True


async def factory():
    await checkpoint()
    return Resource()


async def close(resource):
    await checkpoint()
    resource.close()


def new_pool():
    hooks = {"validate": yes, "validate_after": 0, "reset": yes, "destroy": close}
    return resource_pool(factory, max_size=1, **hooks)


async def cancelled_after(steps, pool, before=lambda: None):
    """Whether a task had a resource when it was cancelled after so many steps of the loop."""
    got = []

    async def use():
        async with pool.alease() as resource:
            got.append(resource.number)
            await anyio.sleep(PATIENCE)

    async with anyio.create_task_group() as group:
        group.start_soon(use)
        for step in range(steps):
            if step == 3:
                before()
            await checkpoint()
        if steps <= 3:
            before()
        group.cancel_scope.cancel()
    return bool(got)


async def assert_whole(pool):
    with anyio.fail_after(PATIENCE):
        async with pool.alease() as resource:
            assert not resource.closed
        while pool.get_stats().busy or pool.get_stats().creating:
            await checkpoint()
    stats = agree(pool)
    assert (stats.in_use, stats.waiting, stats.idle) == (0, 0, 1)


def test_while_it_is_made(backend):
    async def main():
        served = []
        for steps in range(STEPS):
            pool = new_pool()
            served.append(await cancelled_after(steps, pool))
            await assert_whole(pool)
            await pool.aclose()
        assert served[-1]
        assert not served[0]

    anyio.run(main, backend=backend)


def test_while_it_is_handed_over(backend):
    async def main():
        served = []
        for steps in range(STEPS):
            pool = new_pool()
            held = await pool.aacquire()
            served.append(await cancelled_after(steps, pool, lambda pool=pool, held=held: pool.release(held)))
            await assert_whole(pool)
            await pool.aclose()
        assert served[-1]
        assert not served[0]

    anyio.run(main, backend=backend)


def test_while_the_next_one_waits(backend):
    """It gets what the cancelled one was given, or has not got any more."""

    async def main():
        for steps in range(STEPS):
            pool = new_pool()
            held = await pool.aacquire()
            async with anyio.create_task_group() as group:
                group.start_soon(cancelled_after, steps, pool, lambda pool=pool, held=held: pool.release(held))
                await checkpoint()
                await assert_next(pool)
            await assert_whole(pool)
            await pool.aclose()

    async def assert_next(pool):
        with anyio.fail_after(PATIENCE):
            async with pool.alease() as resource:
                assert not resource.closed

    anyio.run(main, backend=backend)


def test_what_was_handed_over_and_not_taken_counts_as_no_acquisition(backend):
    """Such counts never fall."""

    async def main():
        pool = new_pool()
        held = await pool.aacquire()
        acquired = []
        async with anyio.create_task_group() as group:
            group.start_soon(pool.aacquire)
            await checkpoint()
            while not pool.get_stats().waiting:
                await checkpoint()
            pool.release(held)
            while pool.get_stats().waiting:
                acquired.append(agree(pool).acquired)
                await checkpoint()
            acquired.append(agree(pool).acquired)
            group.cancel_scope.cancel()
        await assert_whole(pool)
        acquired.append(agree(pool).acquired - 1)  # that of `assert_whole`
        assert acquired == sorted(acquired)

    anyio.run(main, backend=backend)
