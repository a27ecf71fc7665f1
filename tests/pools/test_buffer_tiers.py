"""Where a buffer's memory comes from, how it grows, and how much of it a pool keeps."""

import pytest

from poolware import BufferInUse, BufferPool, BufferSizeError, BufferStats

KIB = 1024


def check_books(pool: BufferPool) -> BufferStats:
    stats = pool.get_stats()
    assert stats.acquired == stats.released + stats.in_use
    assert stats.created == stats.idle + stats.in_use + stats.quarantined + stats.dropped
    assert stats.acquired + stats.grown == stats.hits + stats.misses
    assert stats.misses == stats.created
    assert stats.idle_bytes == sum(len(storage) for tier in pool._store.idle.values() for storage in tier)
    assert stats.idle_bytes <= pool.max_idle_bytes
    return stats


@pytest.fixture
def pool():
    return BufferPool(tiers=(16, 64, 256), max_size=4096)


@pytest.mark.parametrize(
    ("size", "capacity"),
    [(0, 16), (1, 16), (16, 16), (17, 64), (64, 64), (65, 256), (256, 256), (257, 257), (4096, 4096)],
)
def test_buffer_has_the_smallest_tier_it_fits_in(pool, size, capacity):
    with pool.lease(size) as buffer:
        assert (buffer.capacity, len(buffer), buffer.tell()) == (capacity, 0, 0)
    check_books(pool)


@pytest.mark.parametrize("size", [-1, 4097, 10**12, 2**63, True, 1.0, "10", None, b"1"])
def test_hostile_size_is_refused(pool, size):
    """H42: before any memory is asked for."""
    with pytest.raises(
        BufferSizeError, match=r"pool 'buffers': a buffer of .* it takes a whole number from 0 to max_size=4096"
    ):
        pool.acquire(size)
    assert check_books(pool).created == 0


HOSTILE = {
    "write": lambda buffer: buffer.write(bytes(5000)),
    "seek and write": lambda buffer: (buffer.seek(10**12), buffer.write(b"x")),
    "many writes": lambda buffer: [buffer.write(bytes(1000)) for _ in range(5)],
}


@pytest.mark.parametrize("how", HOSTILE)
def test_growing_over_max_size_is_refused(pool, how):
    """H42: what was written so far stays, and goes back."""
    buffer = pool.acquire(10)
    buffer.write(b"kept")
    with pytest.raises(BufferSizeError, match="to max_size=4096"):
        HOSTILE[how](buffer)
    assert buffer.getvalue().startswith(b"kept")
    buffer.release()
    assert check_books(pool).in_use == 0


@pytest.mark.parametrize("bounds", [(-1, 4), (4, 2), (0, 17), (17, 17), (0, 10**12)])
def test_view_outside_of_the_memory_is_refused(pool, bounds):
    """H42."""
    with pool.lease(10) as buffer, pytest.raises(ValueError, match="it takes 0 <= start <= stop <= 16"):
        buffer.view(*bounds)


def test_released_memory_is_used_again(pool):
    for _ in range(3):
        with pool.lease(10) as small, pool.lease(100) as large:
            small.write(b"x")
            large.write(b"x")
    stats = check_books(pool)
    assert (stats.created, stats.hits, stats.idle, stats.idle_bytes) == (2, 4, 2, 16 + 256)


def test_growing_moves_to_the_next_tier_that_fits(pool):
    with pool.lease(10) as buffer:
        buffer.write(b"a" * 16)
        assert buffer.capacity == 16
        buffer.write(b"b")
        assert buffer.capacity == 64
        buffer.write(b"c" * 100)
        assert (buffer.capacity, buffer.getvalue()) == (256, b"a" * 16 + b"b" + b"c" * 100)
    stats = check_books(pool)
    assert (stats.grown, stats.acquired, stats.created, stats.idle) == (2, 1, 3, 3)


def test_growing_uses_resting_memory(pool):
    pool.acquire(60).release()
    with pool.lease(10) as buffer:
        buffer.write(b"x" * 20)
    stats = check_books(pool)
    assert (stats.created, stats.hits, stats.grown) == (2, 1, 1)


def test_growing_above_the_largest_tier_is_amortised(pool):
    """H41: a body that comes in many small pieces is not copied once for each of them."""
    with pool.lease(10) as buffer:
        for _ in range(4096 // 8):
            buffer.write(b"12345678")
        assert len(buffer) == 4096
    assert check_books(pool).grown < 12


def test_growing_is_refused_while_a_view_exists(pool):
    """H08: the view would show memory that is somebody else's by then."""
    buffer = pool.acquire(10)
    buffer.write(b"kept")
    view = buffer.view(0, 4)
    with pytest.raises(BufferInUse, match="a buffer of 16 bytes cannot grow to 24 while views of it exist"):
        buffer.write(b"x" * 20)
    assert (buffer.getvalue(), buffer.tell(), bytes(view)) == (b"kept", 4, b"kept")
    view.release()
    del view
    buffer.write(b"x" * 20)
    assert len(buffer) == 24
    buffer.release()
    assert check_books(pool).idle == 2


def test_larger_than_all_tiers_is_not_kept(pool):
    """H30: one giant request pins nothing."""
    with pool.lease(1000) as buffer:
        buffer.write(b"x")
    stats = check_books(pool)
    assert (stats.idle, stats.dropped, stats.idle_bytes) == (0, 1, 0)


@pytest.mark.parametrize("max_idle", [0, 1, 3])
def test_burst_leaves_no_more_than_max_idle_of_a_tier(max_idle):
    """H30."""
    pool = BufferPool(tiers=(16, 64), max_idle=max_idle)
    held = [pool.acquire(size) for size in (10, 60) for _ in range(5)]
    for buffer in held:
        buffer.release()
    assert check_books(pool).idle == 2 * max_idle


@pytest.mark.parametrize(("limit", "idle_bytes"), [(0, 0), (63, 48), (64, 64), (1000, 80 * 5)])
def test_burst_leaves_no_more_than_max_idle_bytes(limit, idle_bytes):
    """H30: over all tiers together."""
    pool = BufferPool(tiers=(16, 64), max_idle_bytes=limit)
    held = [pool.acquire(size) for size in (10, 60) for _ in range(5)]
    for buffer in held:
        buffer.release()
    stats = check_books(pool)
    assert stats.idle_bytes == min(idle_bytes, limit)
    assert stats.dropped == 10 - stats.idle


def test_clear_lets_go_of_resting_memory(pool):
    """H30: what is in use is kept when it comes back."""
    with pool.lease(10):
        pool.acquire(100).release()
        pool.clear()
        stats = check_books(pool)
        assert (stats.idle, stats.in_use, stats.dropped) == (0, 1, 1)
    assert check_books(pool).idle == 1


def test_pool_and_buffer_say_what_they_hold(pool):
    """H15: sizes, never content."""
    buffer = pool.acquire(10)
    buffer.write(b"geheim")
    assert repr(buffer) == "<Buffer 6 of 16 bytes>"
    assert repr(pool) == "<BufferPool 'buffers': 0 idle, 1 in use, 0 quarantined>"
    buffer.release()
    assert repr(buffer) == "<Buffer released>"


@pytest.mark.parametrize("limit", ["max_size", "max_idle", "max_idle_bytes"])
def test_a_limit_may_be_larger_than_any_memory(limit):
    pool = BufferPool(tiers=(16,), **{limit: 2**70})
    pool.release(pool.acquire(10))
    assert pool.get_stats().idle == 1
    with pytest.raises((BufferSizeError, MemoryError, OverflowError)):
        pool.acquire(2**62)
    with pytest.raises((BufferSizeError, OverflowError)):
        pool.acquire(2**71)
    assert pool.get_stats().in_use == 0
