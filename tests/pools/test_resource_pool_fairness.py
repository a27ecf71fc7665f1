"""200 callers on threads, asyncio and trio wait for 4 resources: who is next, and what becomes of those who leave."""

import random
from concurrent.futures import FIRST_COMPLETED, CancelledError, wait

import pytest
from callers import callers_of
from resource_samples import PATIENCE, agree, resource_pool, wait_until

from poolware import PoolTimeout

WAITERS = 200
CLASSES = ("critical", "high", "normal", "low")


def in_order_of_service(pool, held, waiting):
    """Release one resource at a time; return the places in `waiting` of those who got one, in that order."""
    served, pending = [], {future: place for place, future in enumerate(waiting)}
    while pending:
        pool.release(held.pop(0))
        done, _ = wait(pending, PATIENCE, FIRST_COMPLETED)
        (future,) = done
        served.append(pending.pop(future))
        held.append(future.result())
    for resource in held:
        pool.release(resource)
    return served


def take_all(pool):
    return [pool.acquire() for _ in range(pool.get_stats().max_size)]


def assert_whole(pool):
    """No slot is lost and no resource in two hands: all of them can be acquired."""
    held = take_all(pool)
    assert len({id(resource) for resource in held}) == 4
    with pytest.raises(PoolTimeout):
        pool.acquire(timeout=0)
    for resource in held:
        pool.release(resource)
    stats = agree(pool)
    assert (stats.idle, stats.in_use, stats.busy, stats.creating, stats.waiting) == (4, 0, 0, 0, 0)


def test_threads_and_tasks_are_served_in_the_order_in_which_they_came():
    """H28: on whatever they wait, and exactly."""
    pool = resource_pool()
    held = take_all(pool)
    with callers_of(pool) as callers:
        waiting = callers.mixed(WAITERS)
        assert in_order_of_service(pool, held, waiting) == list(range(WAITERS))
    assert pool.get_stats().created == 4
    assert_whole(pool)


def test_nobody_is_passed_by_those_who_came_much_later():
    """H28: a class counts for `ageing` seconds, so nobody waits for who came more than 3 × `ageing` later."""
    ageing = 10.0
    pool = resource_pool(ageing=ageing)
    held = take_all(pool)
    priorities = random.Random(5).choices(CLASSES, k=WAITERS)
    with callers_of(pool) as callers:
        waiting = callers.mixed(WAITERS, lambda number: {"priority": priorities[number]})
        spread_arrivals(pool, ageing / 10)  # one caller a second, as it were: 200 s in all
        served = in_order_of_service(pool, held, waiting)
    turns = [number * ageing / 10 + CLASSES.index(priority) * ageing for number, priority in enumerate(priorities)]
    assert [turns[number] for number in served] == sorted(turns)
    passed_by = [latest - number for place, number in enumerate(served) for latest in [max(served[: place + 1])]]
    assert 20 < max(passed_by) <= 30  # the low ones are passed, by those of the 30 s after them and by nobody else
    assert_whole(pool)


def spread_arrivals(pool, seconds):
    """Let so many seconds lie between one arrival and the next."""
    everybody = sorted(pool._stock.queue, key=lambda waiter: waiter.arrived)
    for number, waiter in enumerate(everybody):
        waiter.arrived = everybody[0].arrived + number * seconds


@pytest.mark.parametrize("seed", range(3))
def test_half_of_those_who_wait_give_up(seed):
    """H18: no slot is lost, nobody gets what another has, the others are served in their order."""
    chance = random.Random(seed)
    leaving = set(chance.sample(range(WAITERS), WAITERS // 2))
    pool = resource_pool()
    held = take_all(pool)
    with callers_of(pool) as callers:
        impatient = {number for number in leaving if number % 3 == 0 or chance.random() < 0.5}
        waiting = callers.mixed(WAITERS, lambda number: {"timeout": 0.5 if number in impatient else PATIENCE})
        for number in leaving - impatient:
            waiting[number].cancel()
        for number in leaving:
            with pytest.raises(PoolTimeout if number in impatient else CancelledError):
                waiting[number].result(PATIENCE)
        staying = [future for number, future in enumerate(waiting) if number not in leaving]
        wait_until(lambda: pool.get_stats().waiting == len(staying))
        assert in_order_of_service(pool, held, staying) == list(range(len(staying)))
    assert pool.get_stats().timeouts == len(impatient)
    assert_whole(pool)


@pytest.mark.parametrize("seed", range(3))
def test_half_of_them_give_up_while_they_are_served(seed):
    """H18: what was handed in this very moment to somebody who leaves goes to the next."""
    chance = random.Random(seed)
    pool = resource_pool()
    held, hands, twice = take_all(pool), set(), []

    def use(resource):
        twice.extend({resource} & hands)
        hands.add(resource)
        hands.remove(resource)

    with callers_of(pool) as callers:
        waiting = callers.mixed(WAITERS, call=use)
        leaving = chance.sample(waiting, WAITERS // 2)
        while leaving:
            if held:
                pool.release(held.pop())
            leaving.pop().cancel()
        wait(waiting, PATIENCE)
    assert twice == []
    assert_whole(pool)
