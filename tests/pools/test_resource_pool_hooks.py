"""ResourcePool: reset, validate, keepalive and destroy, and what comes of their failures."""

import asyncio
import threading

import pytest
from resource_samples import NEVER, Resource, agree, grow_older, in_thread, resource_pool, wait_until

from poolware import ConfigurationError, PoolTimeout


class Hook:
    """A hook that does what it is told, and notes what it was given."""

    def __init__(self, result=True, error=None):
        self.result = result
        self.error = error
        self.given = []

    def __call__(self, resource):
        self.given.append(resource)
        if self.error is not None:
            raise self.error
        return self.result


FAILURE = ValueError("a bug in a hook")


def used(pool):
    """Acquire and release once; return the resource."""
    with pool.lease() as resource:
        return resource


def test_reset_comes_before_the_next_user():
    reset = Hook()
    pool = resource_pool(reset=reset)
    resource = used(pool)
    assert reset.given == [resource]
    assert pool.acquire() is resource


def test_a_failing_reset_discards_and_loses_no_slot():
    """H29"""
    pool = resource_pool(reset=Hook(error=FAILURE), max_size=1)
    resource = used(pool)
    assert pool.acquire() is not resource
    stats = agree(pool)
    assert stats.reset_errors == 1
    assert stats.destroyed == {"reset": 1}


def test_an_interrupt_in_a_reset_passes_on_and_loses_no_slot():
    reset = Hook(error=KeyboardInterrupt())
    pool = resource_pool(reset=reset, max_size=1)
    resource = pool.acquire()
    with pytest.raises(KeyboardInterrupt):
        pool.release(resource)
    assert agree(pool).destroyed == {"interrupted": 1}
    assert pool.acquire() is not resource


def test_what_was_used_just_now_is_lent_without_validation():
    validate = Hook()
    pool = resource_pool(validate=validate, validate_after=NEVER)
    used(pool)
    used(pool)
    assert validate.given == []


def test_validated_when_acquired():
    validate = Hook()
    pool = resource_pool(validate=validate)
    resource = used(pool)
    grow_older(pool, 10)
    assert used(pool) is resource
    assert validate.given == [resource]


@pytest.mark.parametrize("hook", [Hook(result=False), Hook(error=FAILURE)], ids=["says no", "raises"])
def test_what_is_no_longer_valid_is_replaced(hook):
    """H29: the caller gets a good one, and keeps its place."""
    pool = resource_pool(validate=hook, max_size=1)
    resource = used(pool)
    grow_older(pool, 10)
    assert used(pool) is not resource
    stats = agree(pool)
    assert stats.validation_failures == 1
    assert stats.destroyed == {"validation": 1}


def test_a_validation_that_hangs_is_given_up():
    let_go = threading.Event()
    pool = resource_pool(validate=lambda _: let_go.wait(20), validate_timeout=0.01, max_size=1)
    resource = used(pool)
    grow_older(pool, 10)
    assert used(pool) is not resource
    let_go.set()
    assert agree(pool).destroyed == {"validation": 1}


def test_a_validation_that_hangs_stops_no_loop():
    let_go = threading.Event()
    pool = resource_pool(validate=lambda _: let_go.wait(20), validate_timeout=0.05, max_size=1)
    resource = used(pool)
    grow_older(pool, 10)

    async def meanwhile():
        acquiring, ticks = asyncio.create_task(pool.aacquire()), 0
        while not acquiring.done():
            await asyncio.sleep(0.001)
            ticks += 1
        assert ticks > 5
        return acquiring.result()

    assert asyncio.run(meanwhile()) is not resource
    let_go.set()


def test_validated_when_released():
    validate = Hook(result=False)
    pool = resource_pool(validate=validate, validate_on=["release"])
    resource = used(pool)
    assert validate.given == [resource]
    assert agree(pool).idle == 0


def test_a_release_on_a_loop_does_not_wait_for_a_validation():
    let_go = threading.Event()
    pool = resource_pool(validate=lambda _: let_go.wait(20), validate_on=["release"])

    async def release():
        pool.release(await pool.aacquire())

    asyncio.run(release())
    assert pool.get_stats().busy == 1
    let_go.set()
    wait_until(lambda: pool.get_stats().idle == 1)


@pytest.mark.parametrize("good", [True, False])
def test_what_failed_in_use_is_validated(good):
    """Invariant 4: never trusted."""
    validate = Hook(result=good)
    pool = resource_pool(validate=validate)
    resource = pool.acquire()
    pool.release(resource, failed=True)
    assert validate.given == [resource]
    assert agree(pool).idle == good


def test_destroy_gets_what_is_let_go_of():
    destroy = Hook()
    pool = resource_pool(destroy=destroy)
    resource = used(pool)
    pool.close()
    assert destroy.given == [resource]
    assert not resource.closed


def test_close_is_called_by_default():
    pool = resource_pool()
    resource = used(pool)
    pool.close()
    assert resource.closed


def test_nothing_is_called_if_nothing_is_wanted():
    pool = resource_pool(destroy=None)
    resource = used(pool)
    pool.close()
    assert not resource.closed


def test_a_failing_destroy_costs_nothing():
    """H29"""
    pool = resource_pool(destroy=Hook(error=FAILURE), max_size=1)
    used(pool)
    pool.clear()
    wait_until(lambda: pool.get_stats().destroy_errors == 1)
    used(pool)
    pool.close()
    assert agree(pool).destroy_errors == 2


def test_what_is_destroyed_takes_up_its_place_meanwhile():
    """The other side still has the connection, and may allow no more; nobody waits for ever for one that hangs."""
    let_go, closing = threading.Event(), threading.Event()

    def destroy(_):
        closing.set()
        assert let_go.wait(20)

    pool = resource_pool(destroy=destroy, max_size=1)
    used(pool)
    pool.clear()
    assert closing.wait(20)
    with pytest.raises(PoolTimeout):
        pool.acquire(timeout=0)
    (ending,) = pool._stock.ending
    ending.since -= 6
    used(pool)
    let_go.set()


def test_hooks_may_come_back_into_the_pool():
    """H35"""
    pool = None

    def reset(_):
        if pool.get_stats().created < 2:
            used(pool)

    pool = resource_pool(reset=reset, max_size=2)
    used(pool)
    assert agree(pool).idle == 2


def test_async_hooks_run_on_the_loop_of_the_resource():
    calls = []

    async def note(what):
        assert asyncio.get_running_loop()
        calls.append(what)
        return True

    async def factory():
        await note("factory")
        return Resource()

    async def use():
        pool = resource_pool(
            factory,
            max_size=1,
            reset=lambda _: note("reset"),
            validate=lambda _: note("validate"),
            validate_on=["release"],
            destroy=lambda _: note("destroy"),
        )
        async with pool:
            async with pool.alease():
                pass
            async with pool.alease():  # waits until it is reset
                calls.append("used again")
        return pool

    pool = asyncio.run(use())
    assert calls == ["factory", "reset", "validate", "used again", "destroy"]
    assert agree(pool).destroyed == {"closed": 1}


def test_a_hook_that_returns_a_coroutine_is_told_apart_from_one_that_says_yes():
    async def validate(_):
        return False

    hook = lambda resource: validate(resource)  # noqa: E731, PLW0108 - what people write
    pool = resource_pool(validate=hook, validate_on=["release"])
    used(pool)
    assert agree(pool).destroyed == {"validation": 1}


def test_who_waits_gets_what_was_reset_meanwhile():
    resetting, go_on = threading.Event(), threading.Event()

    def reset(_):
        resetting.set()
        assert go_on.wait(20)

    pool = resource_pool(reset=reset, max_size=1)
    resource = pool.acquire()
    releasing, _ = in_thread(lambda: pool.release(resource))
    assert resetting.wait(20)
    waiter, results = in_thread(pool.acquire)
    wait_until(lambda: pool.get_stats().waiting == 1)
    go_on.set()
    waiter.join()
    releasing.join()
    assert results == [resource]


def test_a_factory_for_loops_is_told_by_its_hooks():
    async def close(_):
        pass

    with pytest.raises(ConfigurationError, match="aacquire"):
        resource_pool(destroy=close).acquire()
