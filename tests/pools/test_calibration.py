"""Tiers that follow the sizes which buffers turn out to need, and memory that goes when nobody needs it."""

import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from poolware import BadOption, BufferPool, Calibration
from poolware.pools.calibration import _rounded, best_tiers
from poolware.pools.tending import idle_timeout
from poolware.pools.tending.idle_timeout import BufferIdleTimeout

KIB = 1024


def in_vain(tiers, seen):
    """How many bytes of the tiers are lent and not needed."""
    return sum(count * (min(tier for tier in tiers if tier >= size) - size) for size, count in seen.items())


def test_tiers_are_those_that_leave_the_least_unused():
    """Compared with every other choice."""
    chance = random.Random(6)
    for _ in range(20):
        seen = {chance.randrange(1, 100) * 64: chance.randrange(1, 50) for _ in range(7)}
        sizes = sorted(seen)
        tiers = best_tiers(seen, 0.999999, 3)
        others = [(low, high, sizes[-1]) for low in sizes for high in sizes]
        assert in_vain(tiers, seen) == min(in_vain(other, seen) for other in others)
        assert len(tiers) <= 3
        assert list(tiers) == sorted(set(tiers))


def test_few_large_ones_get_no_tier():
    """Nineteen of twenty are to fit."""
    assert best_tiers({4096: 95, 2**20: 5}, 0.95, 8) == (4096,)
    assert best_tiers({4096: 94, 2**20: 6}, 0.95, 8) == (4096, 2**20)


def test_sizes_are_rounded_up_by_less_than_a_quarter():
    for size in (0, 1, 63, 64, 65, 1000, 4096, 4097, 5000, 65_537, 2**24 + 1):
        assert size <= _rounded(size) <= max(64 + size, size * 1.25)


def lend(pool, size, *, written=0):
    buffer = pool.acquire(size)
    buffer.write(bytes(written))
    buffer.release()


@pytest.fixture
def pool():
    return BufferPool(calibrate=Calibration(at_least=100, most_tiers=3))


def test_tiers_become_those_of_what_was_lent(pool):
    for _ in range(50):
        lend(pool, 3000)
        lend(pool, 20_000)
    pool._calibrate()
    assert pool.tiers == (3072, 20_480)
    lend(pool, 3000)
    assert pool.get_stats().idle_bytes == 3072


def test_what_a_buffer_grew_to_counts(pool):
    for _ in range(100):
        lend(pool, 100, written=9000)
    pool._calibrate()
    assert pool.tiers == (10_240,)


def test_with_few_buffers_the_tiers_stay(pool):
    before = pool.tiers
    for _ in range(99):
        lend(pool, 3000)
    pool._calibrate()
    assert pool.tiers == before


def test_the_latest_ten_thousand_count(pool):
    for _ in range(10_000):
        lend(pool, 50_000)
    for tiers, times in [((57_344,), 0), ((3072, 57_344), 5000), ((3072,), 5000)]:
        for _ in range(times):
            lend(pool, 3000)
        pool._calibrate()
        assert pool.tiers == tiers


def test_memory_of_other_sizes_is_let_go(pool):
    """When it comes back, if it is in use or somebody has a view of it."""
    in_use, viewed = pool.acquire(4096), pool.acquire(4096)
    view = viewed.view()
    viewed.release()
    for _ in range(100):
        lend(pool, 300)
    lend(pool, 4096)
    pool._calibrate()
    assert pool.tiers == (320,)
    assert pool.get_stats().idle == 0
    in_use.write(b"x" * 5000)
    in_use.release()
    del view
    stats = pool.get_stats()
    assert (stats.in_use, stats.quarantined, stats.idle) == (0, 0, 0)
    assert stats.created == stats.dropped


def test_resting_memory_of_a_size_that_stays_is_kept():
    pool = BufferPool(tiers=(512, 1024))
    lend(pool, 1000)
    lend(pool, 100)
    pool._store.retier((1024, 2048))
    lend(pool, 1000)
    stats = pool.get_stats()
    assert (stats.idle, stats.idle_bytes, stats.hits, stats.dropped) == (1, 1024, 1, 1)


@pytest.mark.parametrize("mode", ["off", "debug"])
def test_nothing_is_measured_where_nothing_is_reused(monkeypatch, mode):
    monkeypatch.setenv("POOLWARE_MODE", mode)
    pool = BufferPool(calibrate=Calibration(), idle_timeout=5.0)
    assert pool._beats == []
    lend(pool, 100)
    pool._calibrate()
    assert pool.get_stats().released == 1


def test_a_pool_without_calibration_lends_what_it_always_lent():
    """No wrapper is in the way."""
    pool = BufferPool()
    assert pool.acquire == pool._store.acquire
    assert type(pool.acquire(10)).__name__ == "Buffer"
    assert pool._beats == []


# --- idle timeout -----------------------------------------------------------------------------------------------------


def test_after_a_burst_the_memory_that_nobody_needed_goes():
    """H30: tier by tier."""
    pool = BufferPool()
    lend(pool, KIB)
    timeout = BufferIdleTimeout(pool._store)
    held = [pool.acquire(64 * KIB) for _ in range(50)]
    while held:
        held.pop().release()
    for _ in range(idle_timeout.LOOKS):
        held = [*(pool.acquire(64 * KIB) for _ in range(5)), pool.acquire(KIB)]
        timeout.beat()
        while held:
            held.pop().release()
    timeout.beat()
    stats = pool.get_stats()
    assert (stats.idle_bytes, stats.dropped) == (5 * 64 * KIB + KIB, 45)
    for _ in range(2 * idle_timeout.LOOKS):
        timeout.beat()
    assert pool.get_stats().idle == 0


def test_trimming_takes_no_more_than_there_is():
    pool = BufferPool()
    lend(pool, KIB)
    pool._store.trim(KIB, 5)
    pool._store.trim(KIB, 5)
    pool._store.trim(KIB + 1, 5)
    pool._store.trim(KIB, -1)
    stats = pool.get_stats()
    assert (stats.idle, stats.idle_bytes, stats.dropped) == (0, 0, 1)
    assert set(pool._store.resting().values()) == {0}


def test_a_closed_pool_holds_nothing():
    pool = BufferPool(idle_timeout=5.0, calibrate=Calibration())
    assert len(pool._beats) == 2
    lend(pool, KIB)
    pool.close()
    assert (pool.get_stats().idle, pool._beats) == (0, [])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Calibration(percentile=95),
        lambda: Calibration(most_tiers=0),
        lambda: Calibration(at_least=-1),
        lambda: Calibration(period=0),
        lambda: BufferPool(calibrate=True),
        lambda: BufferPool(idle_timeout=-1),
    ],
)
def test_bad_options(make):
    """H40."""
    with pytest.raises(BadOption, match=r"\w+=.*: it takes"):
        make()


def test_tiers_that_change_while_others_work():
    """H34: every buffer is clean, and the books add up exactly."""
    pool, done = BufferPool(max_idle_bytes=2**20), threading.Event()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def use(seed):
        chance = random.Random(seed)
        for _ in range(300):
            with pool.lease(chance.randrange(2**13)) as buffer:
                assert not any(buffer.view())
                buffer.write(b"x" * chance.randrange(2**14))

    def change():
        chance = random.Random(0)
        while not done.is_set():
            pool._store.retier(tuple(sorted(chance.sample([64, 1024, 4096, 5000, 2**14], 3))))
            pool._store.trim(1024, 1)
            pool.get_stats()

    try:
        with ThreadPoolExecutor(5) as threads:
            changing = threads.submit(change)
            try:
                assert len(list(threads.map(use, range(4)))) == 4
            finally:
                done.set()
            changing.result()
    finally:
        sys.setswitchinterval(before)
    stats = pool.get_stats()
    assert (stats.in_use, stats.quarantined, stats.acquired) == (0, 0, 1200)
    assert stats.created == stats.idle + stats.dropped
    assert stats.idle_bytes == sum(size * count for size, count in pool._store.resting().items())
