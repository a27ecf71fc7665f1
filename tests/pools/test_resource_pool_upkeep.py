"""ResourcePool: what is evicted, checked, reported and taken back while nobody asks."""

import asyncio
import threading

import pytest
from resource_samples import NEVER, PATIENCE, Resource, agree, grow_older, resource_pool, wait_until

from poolware import AllOf, AnyOf, IdleTimeout, LeastRecentlyUsed, MaxAge
from poolware.pools.heartbeat import heartbeat
from poolware.pools.resources import upkeep


def filled(count=4, **options):
    """A pool in which `count` rest."""
    pool = resource_pool(**options)
    resources = [pool.acquire() for _ in range(count)]
    for resource in resources:
        pool.release(resource)
    return pool


def look_after(pool):
    """Do what the heartbeat does, and wait until it is done."""
    upkeep.look_after(pool._stock)
    wait_until(lambda: pool.get_stats().busy == 0)
    return agree(pool)


def test_what_nobody_uses_is_let_go_of_down_to_the_minimum():
    """H30"""
    pool = filled(min_size=1, idle_timeout=300)
    grow_older(pool, 299)
    assert look_after(pool).idle == 4
    grow_older(pool, 2)
    stats = look_after(pool)
    assert stats.idle == 1
    assert stats.destroyed == {"idle": 3}


def test_what_was_used_last_stays():
    pool = filled(min_size=1, idle_timeout=300)
    with pool.lease() as latest:
        pass
    grow_older(pool, 301)
    look_after(pool)
    with pool.lease() as left:
        assert left is latest


def test_nothing_lives_for_ever_and_the_minimum_is_made_anew():
    pool = filled(min_size=2, max_lifetime=3600)
    grow_older(pool, 3601)
    upkeep.look_after(pool._stock)
    wait_until(lambda: pool.get_stats().idle == 2)
    assert agree(pool).destroyed == {"lifetime": 4}


def test_lifetimes_differ():
    """Not all connections are made anew at the same moment."""
    pool = filled(max_lifetime=1000)
    lifetimes = {round(record.expires - record.made, 6) for record in pool._stock.records.values()}
    assert len(lifetimes) == 4
    assert all(900 <= lifetime <= 1000 for lifetime in lifetimes)


def test_what_has_lived_long_enough_is_not_lent_and_does_not_rest():
    pool = filled(1, max_lifetime=3600)
    grow_older(pool, 3601)
    resource = pool.acquire()
    grow_older(pool, 3601)
    pool.release(resource)
    assert agree(pool).destroyed == {"lifetime": 2}


@pytest.mark.parametrize(
    ("eviction", "left"),
    [
        (IdleTimeout(50), 0),
        (IdleTimeout(500), 4),
        (MaxAge(50), 0),
        (LeastRecentlyUsed(above=3), 3),
        (AllOf(IdleTimeout(50), LeastRecentlyUsed(above=1)), 1),
        (AllOf(IdleTimeout(500), LeastRecentlyUsed(above=1)), 4),
        (AnyOf(MaxAge(500), LeastRecentlyUsed(above=2)), 2),
        (lambda resting: resting.size > 3, 0),
    ],
    ids=lambda value: "own" if callable(value) and "lambda" in repr(value) else type(value).__name__,
)
def test_policies(eviction, left):
    pool = filled(eviction=eviction, idle_timeout=None)
    grow_older(pool, 100)
    stats = look_after(pool)
    assert stats.idle == left
    assert stats.destroyed == ({"evicted": 4 - left} if left < 4 else {})


def test_what_rests_is_validated_those_first_that_waited_longest():
    checked = []
    pool = filled(validate=lambda resource: checked.append(resource) or True, check_every=30, check_batch=10)
    first, *others = [record.obj for record in pool._stock.idle]
    grow_older(pool, 31)
    look_after(pool)
    wait_until(lambda: len(checked) == 4)
    assert checked == [first, *others]
    look_after(pool)
    assert len(checked) == 4


def test_what_is_no_longer_valid_is_replaced_in_time():
    pool = filled(validate=lambda _: False, min_size=2)
    grow_older(pool, 31)
    upkeep.look_after(pool._stock)
    wait_until(lambda: sum(pool.get_stats().destroyed.values()) == 4 and pool.get_stats().idle == 2)
    assert agree(pool).destroyed == {"validation": 4}


def test_between_batches_there_is_a_pause(monkeypatch):
    pauses = []
    monkeypatch.setattr(upkeep.Pause, "run", lambda self: pauses.append(self.seconds))
    checked = []
    pool = filled(validate=lambda resource: checked.append(resource) or True, check_batch=2)
    grow_older(pool, 31)
    upkeep.look_after(pool._stock)
    wait_until(lambda: len(pauses) == 2)
    assert len(checked) == 4


def test_keepalive_touches_what_has_rested_for_long_enough():
    touched = []
    pool = filled(2, keepalive=touched.append, keepalive_every=60, idle_timeout=None)
    grow_older(pool, 59)
    look_after(pool)
    assert touched == []
    grow_older(pool, 2)
    look_after(pool)
    wait_until(lambda: len(touched) == 2)
    assert agree(pool).idle == 2


def test_what_cannot_be_kept_alive_is_stale():
    """H29"""

    def fail(_):
        msg = "server has gone away"
        raise ConnectionError(msg)

    pool = filled(2, keepalive=fail)
    grow_older(pool, 61)
    upkeep.look_after(pool._stock)
    wait_until(lambda: pool.get_stats().destroyed == {"stale": 2})
    assert agree(pool).keepalive_failures == 2


def test_what_is_being_checked_is_not_lent():
    checking, go_on = threading.Event(), threading.Event()

    def validate(_):
        checking.set()
        return go_on.wait(PATIENCE)

    pool = filled(1, validate=validate, validate_on=["idle"])
    (resource,) = [record.obj for record in pool._stock.idle]
    grow_older(pool, 31)
    upkeep.look_after(pool._stock)
    assert checking.wait(PATIENCE)
    assert pool.acquire() is not resource
    go_on.set()
    wait_until(lambda: pool.get_stats().idle == 1)


def test_a_checked_resource_rests_where_it_was():
    """Being looked at is not being used: it does not move ahead of what was."""
    pool = filled(3, validate=lambda _: True)
    before = [record.obj for record in pool._stock.idle]
    grow_older(pool, 31)
    look_after(pool)
    wait_until(lambda: all(record.checked > record.since for record in pool._stock.idle))
    assert [record.obj for record in pool._stock.idle] == before


def test_long_holders_are_reported_once_and_nothing_is_taken_away(caplog):
    """H32, H33"""
    pool = resource_pool(hold_limit=10, leak_detection="full")
    resource = pool.acquire()
    grow_older(pool, 12)
    look_after(pool)
    look_after(pool)
    (report,) = caplog.messages
    assert "'db': a resource has been in use for 12.0 s (hold_limit 10 s)" in report
    assert "test_long_holders" in report
    assert agree(pool).held_too_long == 1
    pool.release(resource)
    with pool.lease():
        grow_older(pool, 12)
        assert look_after(pool).held_too_long == 2


def test_a_hold_limit_is_watched_as_often_as_it_needs():
    """H33: and not only as often as what rests is looked after."""
    pool = resource_pool(hold_limit=0.02, check_every=NEVER)
    with pool.lease():
        wait_until(lambda: pool.get_stats().held_too_long == 1)


def test_sampled_stacks():
    pool = resource_pool(leak_detection="sampled", max_size=200)
    resources = [pool.acquire() for _ in range(2)]
    stacks = [pool._stock.lent[id(resource)].stack for resource in resources]
    assert any(stacks)


def test_what_nobody_holds_any_more_is_taken_back(caplog):
    """A resource that was never released is not lost for ever; it is not trusted either."""
    pool = resource_pool(max_size=1, leak_detection="full")
    pool.acquire()
    look_after(pool)
    stats = agree(pool)
    assert (stats.lost, stats.in_use, stats.destroyed) == (1, 0, {"lost": 1})
    assert "was never released" in caplog.text
    assert "test_what_nobody_holds" in caplog.text
    assert pool.acquire(timeout=PATIENCE)


def test_what_somebody_holds_is_never_taken_back():
    """H32"""
    pool = resource_pool(max_size=1)
    holder = [pool.acquire()]
    grow_older(pool, NEVER)
    assert look_after(pool).in_use == 1
    pool.release(holder[0])


def test_the_heartbeat_looks_after_every_pool_in_use():
    pool = resource_pool(idle_timeout=0.01, check_every=0.01)
    with pool.lease():
        assert heartbeat.running
    wait_until(lambda: pool.get_stats().destroyed == {"idle": 1})
    pool.close()


def test_resources_of_a_loop_are_checked_on_it():
    loops = set()

    async def factory():
        return Resource()

    async def validate(_):
        loops.add(asyncio.get_running_loop())
        return True

    async def use():
        pool = resource_pool(factory, validate=validate)
        async with pool.alease():
            pass
        grow_older(pool, 31)
        await asyncio.to_thread(upkeep.look_after, pool._stock)
        while not loops:  # noqa: ASYNC110 - the pool tells nobody
            await asyncio.sleep(0)
        assert loops == {asyncio.get_running_loop()}
        await pool.aclose()

    asyncio.run(use())
