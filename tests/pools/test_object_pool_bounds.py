"""How many objects a pool keeps: never more than it was told, and it never waits."""

import functools
import threading

import pytest
from pool_samples import Tool, check_books, makers, tool_pool, use_at_once

from poolware import AlreadyReleased, Context, ForeignObject, ObjectPool


class Job(Context):
    name: str = ""


MAKERS = makers(Job)


@pytest.fixture(params=MAKERS)
def make(request):
    return MAKERS[request.param]


def test_objects_are_reused(make):
    pool = make()
    for _ in range(5):
        use_at_once(pool, 3)
    stats = check_books(pool)
    assert (stats.created, stats.misses, stats.hits, stats.idle) == (3, 3, 12, 3)


@pytest.mark.parametrize("make", [maker for name, maker in MAKERS.items() if "fifo" not in name])
def test_last_released_is_first_reused(make):
    """What was used last is still in the processor's cache."""
    pool = make()
    held = [pool.acquire() for _ in range(3)]
    last = id(held[0])
    while held:
        pool.release(held.pop())
    assert id(pool.acquire()) == last


@pytest.mark.parametrize("max_idle", [0, 1, 4])
def test_burst_leaves_no_more_than_max_idle(make, max_idle):
    """H30: the surplus is dropped when it comes back."""
    pool = make(max_idle=max_idle)
    held = [pool.acquire() for _ in range(10)]
    assert check_books(pool).in_use == 10
    while held:
        pool.release(held.pop())
    stats = check_books(pool)
    assert (stats.idle, stats.dropped, stats.in_use) == (max_idle, 10 - max_idle, 0)
    use_at_once(pool, 10)
    assert check_books(pool).idle == max_idle


def test_surplus_goes_back_exactly_once(make):
    """H12: an object over max_idle is released like any other."""
    pool = make(max_idle=0)
    surplus = pool.acquire()
    pool.release(surplus)
    with pytest.raises((AlreadyReleased, ForeignObject)):
        pool.release(surplus)
    stats = check_books(pool)
    assert (stats.released, stats.dropped, stats.refused) == (1, 1, 1)


def test_surplus_is_reset():
    """Invariant 2: also what is not kept."""
    pool = tool_pool(max_idle=0)
    tool = pool.acquire()
    pool.release(tool)
    assert tool.resets == 1


def test_prewarm_builds_at_once(make):
    pool = make(prewarm=5)
    stats = check_books(pool)
    assert (stats.created, stats.idle, stats.misses) == (5, 5, 0)
    use_at_once(pool, 5)
    assert check_books(pool).hits == 5


def test_prewarm_stops_at_max_idle(make):
    pool = make(max_idle=2, prewarm=9)
    assert check_books(pool).idle == 2
    pool.prewarm(9)
    assert check_books(pool).idle == 2


def test_prewarm_fills_up(make):
    pool = make(prewarm=2)
    pool.prewarm(3)
    assert check_books(pool).created == 3


def test_clear_lets_go_of_what_rests(make):
    """What is in use is kept when it comes back."""
    pool = make(prewarm=3)
    held = [pool.acquire()]
    pool.clear()
    stats = check_books(pool, cleared=2)
    assert (stats.idle, stats.in_use) == (0, 1)
    pool.release(held.pop())
    assert check_books(pool, cleared=2).idle == 1


def test_clear_makes_room(make):
    """H30: the pool is filled again up to max_idle, no less and no more."""
    pool = make(max_idle=2)
    for _ in range(3):
        use_at_once(pool, 4)
        pool.clear()
    use_at_once(pool, 4)
    assert pool.get_stats().idle == 2


def test_lost_objects_are_taken_back(make):
    """Never released and held by nobody: noticed, counted, and used again."""
    pool = make()
    held = [pool.acquire() for _ in range(3)]
    held.pop()
    held.pop()
    stats = check_books(pool)
    assert (stats.lost, stats.in_use, stats.idle) == (2, 1, 2)
    assert stats.released == 0


def test_lost_surplus_is_noticed(make):
    """H30: what is not to be kept is not kept forever because it was forgotten."""
    pool = make(max_idle=1)
    held = [pool.acquire() for _ in range(3)]
    held.clear()
    stats = check_books(pool)
    assert (stats.lost, stats.in_use, stats.idle) == (3, 0, 1)


def test_held_object_is_never_taken_for_lost(make):
    """H32: by whatever it is held."""
    pool = make()
    holders = [pool.acquire(), {"tool": pool.acquire()}, functools.partial(print, pool.acquire()), [[pool.acquire()]]]
    assert check_books(pool).lost == 0
    assert check_books(pool).in_use == len(holders)


def test_object_released_during_the_search_is_not_taken_for_lost(make, monkeypatch):
    """H32 H34: another thread gives it back between the list of what is lent and the look at each."""
    pool = make()
    held = [pool.acquire()]
    holdings = pool._kind.holdings

    def holdings_then_release():
        found = holdings()
        if held:
            pool.release(held.pop())
        return found

    monkeypatch.setattr(pool._kind, "holdings", holdings_then_release)
    stats = check_books(pool)
    assert (stats.released, stats.lost, stats.refused, stats.idle) == (1, 0, 0, 1)


def test_forgetful_application_does_not_grow_the_pool(make):
    """H30: lost objects are looked for without anybody asking for statistics."""
    pool = make()
    for _ in range(1000):
        pool.acquire()
    assert len(pool._kind.lent) + len(pool._idle) <= 130
    assert check_books(pool).created <= 130


def test_generic_objects_keep_their_state_without_reset():
    pool = ObjectPool(Tool, reset=None)
    held = [pool.acquire()]
    held[0].owner = "somebody"
    pool.release(held.pop())
    assert (pool.acquire().owner, pool.get_stats().hits) == ("somebody", 1)


def test_prewarm_stops_at_a_reset_that_fails(caplog):
    """H29: it is not tried for ever."""

    def fail(_obj):
        raise OSError("disk full")

    pool = ObjectPool(list, reset=fail, prewarm=3)
    stats = check_books(pool)
    assert (stats.idle, stats.created, stats.reset_errors) == (0, 1, 1)
    assert "reset failed" in caplog.text


def test_prewarm_holds_no_lock_while_it_resets():
    """H35: another thread acquires meanwhile, whatever the reset waits for."""
    acquired = threading.Event()

    def reset(_obj):
        if threading.current_thread() is not threading.main_thread():
            return
        thread = threading.Thread(target=lambda: (pool.acquire(), acquired.set()))
        thread.start()
        thread.join(10)

    pool = ObjectPool(list, reset=reset)
    pool.prewarm(1)
    assert acquired.is_set()


def test_what_somebody_holds_takes_no_room(make):
    """H30: sixteen objects that an error tracker keeps do not end reuse."""
    pool = make(max_idle=16)
    held = [pool.acquire() for _ in range(16)]
    for obj in held:
        pool.release(obj)
    del obj
    for _ in range(100):
        use_at_once(pool, 1)
    stats = check_books(pool)
    assert (stats.quarantined, stats.hits, stats.dropped) == (16, 99, 0)
    held.clear()
    stats = check_books(pool)
    assert (stats.idle, stats.quarantined, stats.dropped) == (16, 0, 1)


def test_only_what_is_held_escapes(make):
    """Over its limit the quarantine lets go of what has come free without being looked at first."""
    pool = make(max_quarantine=4)
    held = [pool.acquire() for _ in range(10)]
    for obj in held:
        pool.release(obj)
        held[held.index(obj)] = None
    del obj
    assert check_books(pool).escaped <= 1
