"""Letting go: the idle timeout, resizing by hand and by use, closing."""

import random
import sys
import threading

import pytest
from pool_samples import HEARTBEAT, check_books, makers, tool_pool, use_at_once

from poolware import AlreadyReleased, BadOption, Context, DynamicSizing, ForeignObject, StaticSizing, Watermark
from poolware.pools.tending import idle_timeout, sizes
from poolware.pools.tending.growing import Grower
from poolware.pools.tending.idle_timeout import IdleTimeout
from poolware.pools.tending.sizes import Sizer


class Job(Context):
    name: str = ""


MAKERS = makers(Job)


@pytest.fixture(params=MAKERS)
def make(request):
    return MAKERS[request.param]


# --- idle timeout -----------------------------------------------------------------------------------------------------


def look(beat, times=idle_timeout.LOOKS):
    for _ in range(times):
        beat()


def test_after_a_burst_what_nobody_needed_goes(make):
    """H30: one idle timeout later nothing is left but what it was prewarmed with."""
    pool = make(prewarm=10)
    timeout = IdleTimeout(pool, 10, None)
    use_at_once(pool, 300)
    look(timeout.beat)
    assert pool.get_stats().idle == 300
    timeout.beat()
    stats = check_books(pool)
    assert (stats.idle, stats.expired) == (10, 290)


def test_what_it_was_prewarmed_with_counts_what_is_in_use():
    pool = tool_pool(prewarm=10)
    timeout = IdleTimeout(pool, 10, None)
    held = [pool.acquire() for _ in range(8)]
    pool.prewarm(50)
    look(timeout.beat, idle_timeout.LOOKS + 1)
    assert (check_books(pool).idle, len(held)) == (2, 8)


def test_what_was_needed_meanwhile_stays():
    pool = tool_pool()
    timeout = IdleTimeout(pool, 0, None)
    use_at_once(pool, 100)
    look(timeout.beat, 4)
    held = [pool.acquire() for _ in range(60)]
    timeout.beat()
    while held:
        pool.release(held.pop())
    look(timeout.beat, 4)
    assert check_books(pool).idle == 60
    look(timeout.beat, 4)
    assert check_books(pool).idle == 60
    timeout.beat()
    assert check_books(pool).idle == 0


def test_what_is_built_ahead_is_not_let_go():
    """Otherwise one would build what the other drops, for ever."""
    pool = tool_pool()
    grower = Grower(Watermark(0.25), pool)
    timeout = IdleTimeout(pool, 0, grower)
    held = [pool.acquire() for _ in range(75)]
    for _ in range(50):
        grower.build(grower.wanted())
        timeout.beat()
    stats = check_books(pool)
    assert (stats.idle, stats.created, len(held)) == (25, 75 + 38, 75)
    for _ in range(50):
        assert grower.wanted() == 0
        timeout.beat()


@HEARTBEAT
def test_the_heartbeat_lets_go(make):
    """H30: on a pool, with its own thread; what its user holds stays."""
    pool = make(idle_timeout=0.02)
    held = [pool.acquire()]
    use_at_once(pool, 50)
    waited = threading.Event()
    for _ in range(2000):
        if pool.get_stats().idle == 0:
            break
        waited.wait(0.005)
    assert check_books(pool).expired == 50
    assert pool.get_stats().in_use == len(held)


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_a_smaller_pool_drops_what_rests_and_what_comes_back(make):
    pool = make(max_idle=20)
    held = [pool.acquire() for _ in range(12)]
    pool.prewarm(8)
    pool.resize(5)
    stats = check_books(pool)
    assert (stats.idle, stats.in_use, stats.dropped) == (0, 12, 8)
    while held:
        pool.release(held.pop())
    stats = check_books(pool)
    assert (stats.idle, stats.dropped, stats.refused) == (5, 15, 0)


def test_a_larger_pool_keeps_more(make):
    pool = make(max_idle=2)
    pool.resize(6)
    use_at_once(pool, 10)
    assert check_books(pool).idle == 6


def test_what_is_surplus_after_a_resize_goes_back_exactly_once(make):
    """H12."""
    pool = make()
    held = [pool.acquire() for _ in range(3)]
    pool.resize(1)
    for obj in held:
        pool.release(obj)
    for obj in held:
        with pytest.raises((AlreadyReleased, ForeignObject)):
            pool.release(obj)
    assert check_books(pool).refused == 3


def test_what_is_released_during_a_resize_stays_the_pools(make, monkeypatch):
    """H34: by another thread, between the list of what is lent and the look at each."""
    pool = make()
    held = [pool.acquire() for _ in range(3)]
    holdings = pool._kind.holdings

    def holdings_then_release():
        found = holdings()
        pool.release(held.pop())
        return found

    monkeypatch.setattr(pool._kind, "holdings", holdings_then_release)
    pool.resize(0)
    monkeypatch.undo()
    assert (len(pool._surplus), len(held)) == (2, 2)
    stats = check_books(pool)
    assert (stats.in_use, stats.idle, stats.dropped) == (2, 0, 1)


def test_a_closed_pool_goes_on_without_keeping_anything(make):
    pool = make(prewarm=3, growth=Watermark(), idle_timeout=5.0, sizing=DynamicSizing(minimum=1))
    held = [pool.acquire()]
    pool.close()
    assert check_books(pool).idle == 0
    pool.release(held.pop())
    use_at_once(pool, 2)
    assert (check_books(pool).idle, pool.get_stats().in_use) == (0, 0)
    assert pool._tending._beats == []
    pool.close()


@pytest.mark.parametrize("value", [-1, 1.5, True, None])
def test_size_must_be_a_number(value):
    """H40."""
    with pytest.raises(BadOption, match=r"max_idle=.*: it takes a whole number"):
        tool_pool().resize(value)


@pytest.mark.parametrize("kind", ["contexts, stack", "contexts, thread", "tools, stack", "tools, sharded"])
def test_resizing_while_others_work(kind):
    """H34: nothing is handed out twice, refused or lost on the way."""
    pool = MAKERS[kind](max_idle=8)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    done = threading.Event()

    def use(seed):
        chance, held = random.Random(seed), []
        for _ in range(250):
            if len(held) < 5 and chance.random() < 0.6:
                held.append(pool.acquire())
            elif held:
                pool.release(held.pop())
        while held:
            pool.release(held.pop())

    def resize():
        chance = random.Random(0)
        while not done.is_set():
            pool.resize(chance.randrange(20))

    try:
        threads = [threading.Thread(target=use, args=(seed,)) for seed in range(6)]
        resizer = threading.Thread(target=resize)
        for thread in (*threads, resizer):
            thread.start()
        for thread in threads:
            thread.join()
        done.set()
        resizer.join()
    finally:
        sys.setswitchinterval(interval)
    pool.resize(8)
    stats = check_books(pool, threads=len(threads))
    assert (stats.in_use, stats.refused, stats.acquired) == (0, 0, stats.released + stats.lost)
    assert pool._surplus == {}


# --- by use -----------------------------------------------------------------------------------------------------------


def sized(sizing=None, **options):
    pool = tool_pool(**options)
    sizer = Sizer(sizing or DynamicSizing(), pool, start=options.get("prewarm", 0), maximum=1000)
    return pool, sizer


def period(sizer, pool, peak):
    """Let a period pass in which `peak` objects are in use for one look."""
    held = [pool.acquire() for _ in range(peak)]
    sizer.beat()
    while held:
        pool.release(held.pop())
    for _ in range(sizes.LOOKS - 1):
        sizer.beat()
    return pool.max_idle


def test_a_pool_begins_with_the_minimum_or_what_it_is_prewarmed_with():
    assert sized()[0].max_idle == 10
    assert sized(prewarm=25)[0].max_idle == 25
    assert tool_pool(sizing=DynamicSizing(), max_idle=7).max_idle == 7


def test_it_grows_when_more_than_four_fifths_are_used():
    pool, sizer = sized()
    assert [period(sizer, pool, peak) for peak in (8, 9, 9, 13, 19)] == [10, 15, 15, 23, 35]


def test_it_shrinks_when_less_than_three_tenths_were_used_in_two_periods():
    """Hysteresis: one quiet period says nothing."""
    pool, sizer = sized(prewarm=90)
    assert [period(sizer, pool, peak) for peak in (20, 40, 20, 20, 20)] == [90, 90, 90, 60, 60]
    assert [period(sizer, pool, 1) for _ in range(12)][-1] == 10


def test_it_does_not_swing_at_a_steady_load():
    for load in range(1, 60):
        pool, sizer = sized(prewarm=40)
        seen = [period(sizer, pool, load) for _ in range(12)]
        assert len(set(seen[-4:])) == 1, load


def test_it_grows_when_more_than_a_hundredth_found_no_room():
    """Bursts between two looks: their peak is not seen, what they cost is."""
    pool, sizer = sized()
    use_at_once(pool, 40)
    assert period(sizer, pool, 0) == 15
    use_at_once(pool, 15)
    assert period(sizer, pool, 0) == 15


def test_what_shrinking_drops_is_no_sign_of_exhaustion():
    pool, sizer = sized(prewarm=100)
    assert [period(sizer, pool, 21) for _ in range(5)] == [100, 67, 67, 67, 67]
    assert pool.get_stats().dropped == 33


def test_it_stays_within_max_idle():
    pool = tool_pool(sizing=DynamicSizing(), max_idle=20)
    for _ in range(5):
        period(pool._tending.sizer, pool, 30)
    assert pool.max_idle == 20


@pytest.mark.parametrize(
    "options",
    [
        {"minimum": 0},
        {"factor": 1},
        {"factor": "x"},
        {"patience": 0},
        {"period": 0},
        {"grow_over": 1.5},
        {"shrink_under": 0},
        {"shrink_under": 0.6},
        {"exhausted_over": -1},
    ],
    ids=str,
)
def test_bad_sizing(options):
    """H40."""
    with pytest.raises(BadOption, match=f"{next(iter(options))}=.*: it takes"):
        DynamicSizing(**options)


def test_rules_of_thumb():
    """Half as many again on average, twice the peak, and never more than twice as many as at the start."""
    assert StaticSizing.steady(40) == (60, 120)
    assert StaticSizing.bursty(40) == (80, 160)
    assert StaticSizing.steady(0.5) == (1, 2)
    pool = tool_pool(**StaticSizing.steady(4)._asdict())
    assert (pool.get_stats().idle, pool.max_idle) == (6, 12)
    with pytest.raises(BadOption, match="average=0: it takes a number above 0"):
        StaticSizing.steady(0)
