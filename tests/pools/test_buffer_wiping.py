"""What was in a buffer is not in the memory that is used next."""

import pytest
from memories import plain, resting, touched

from poolware import BufferPool

LARGE = 100_000
TIERS = (64, 1024, 131072)


USES = {
    "write": lambda buffer: buffer.write(b"geheim" * 8),
    "write of much": lambda buffer: buffer.write(b"x" * LARGE),
    "write far away": lambda buffer: (buffer.seek(LARGE), buffer.write(b"geheim")),
    "write and truncate": lambda buffer: (buffer.write(b"geheim"), buffer.truncate(0)),
    "write over": lambda buffer: (buffer.write(b"geheim" * 9), buffer.seek(0), buffer.write(b"a"), buffer.truncate()),
    "view": lambda buffer: buffer.view().__setitem__(slice(40, 46), b"geheim"),
    "view of a part": lambda buffer: buffer.view(10, 50).__setitem__(slice(34, 40), b"geheim"),
    "view and truncate": lambda buffer: (buffer.view().__setitem__(slice(40, 46), b"geheim"), buffer.truncate(1)),
    "growing": lambda buffer: [buffer.write(b"geheim" * 10) for _ in range(30)],
    "growing after truncate": lambda buffer: (
        buffer.write(b"x" * 64),
        buffer.truncate(0),
        buffer.seek(LARGE),
        buffer.write(b"y"),
    ),
    "view that outlives truncate, then growing": lambda buffer: (
        (view := buffer.view(), buffer.truncate(2), view.__setitem__(slice(60, 64), b"geht"), view.release()),
        buffer.seek(0, 2),
        buffer.write(b"x" * 2000),
    ),
    "view before growing": lambda buffer: (
        buffer.view().__setitem__(slice(60, 64), b"geht"),
        buffer.truncate(2),
        buffer.seek(0, 2),
        buffer.write(b"x" * 2000),
    ),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("wipe", ["used", "full"])
def test_memory_rests_wiped(use, wipe):
    """H09: up to the high-water mark, not to the length; what growing leaves behind as well."""
    pool = BufferPool(tiers=TIERS, wipe=wipe)
    with pool.lease(10) as buffer:
        USES[use](buffer)
    assert len(resting(pool)) >= 1
    assert [touched(storage) for storage in resting(pool)] == [0] * len(resting(pool))


@pytest.mark.parametrize("wipe", ["used", "full"])
def test_left_memory_is_wiped_when_it_is_left(wipe):
    """H09: not only at the end of the request, as another one may take it at once."""
    pool = BufferPool(tiers=TIERS, wipe=wipe)
    buffer = pool.acquire(10)
    buffer.write(b"geheim")
    first = id(buffer._memory.obj)
    buffer.write(b"x" * 100)
    assert [(id(storage), touched(storage)) for storage in resting(pool)] == [(first, 0)]
    assert buffer.getvalue() == b"geheim" + b"x" * 100
    buffer.release()


def test_truncate_wipes_what_it_cuts_off():
    """H09: at once, so that what is cut off is not in the memory while the rest is being sent."""
    pool = BufferPool(tiers=TIERS)
    with pool.lease(10) as buffer:
        buffer.write(b"kept and cut off")
        buffer.truncate(4)
        assert bytes(buffer._memory).strip(b"\0") == b"kept"


@plain  # the memory scan looks at what the other drops
@pytest.mark.parametrize("size", [10, 5000, 200_000])
def test_dropped_memory_is_wiped_too(size):
    """Invariant 2: on every path, also when the memory is not kept."""
    pool = BufferPool(tiers=TIERS, max_idle=0)
    buffer = pool.acquire(size)
    buffer.write(b"g" * size)
    storage = buffer._memory.obj
    buffer.release()
    assert resting(pool) == []
    assert touched(storage) == 0


def test_used_wipes_what_was_used_and_no_more():
    """The point of the high-water mark: wiping costs what was used. Shown by dirt that poolware did not make."""
    pool = BufferPool(tiers=(64,), wipe="used")
    buffer = pool.acquire(10)
    buffer.write(b"geheim")
    buffer._memory[10:14] = b"dirt"
    buffer.release()
    assert bytes(resting(pool)[0]).strip(b"\0") == b"dirt"


def test_full_wipes_all_of_it():
    pool = BufferPool(tiers=(64,), wipe="full")
    buffer = pool.acquire(10)
    buffer._memory[10:14] = b"dirt"
    buffer.release()
    assert touched(resting(pool)[0]) == 0


def test_none_wipes_nothing():
    pool = BufferPool(tiers=(64,), wipe="none")
    with pool.lease(10) as buffer:
        buffer.write(b"public")
    assert bytes(resting(pool)[0]).strip(b"\0") == b"public"


@pytest.mark.parametrize("wipe", ["used", "full", "none"])
def test_gap_before_a_write_reads_as_zeros(wipe):
    """H09: a file's gap is zero; here it must not be what another request had there, whatever is wiped."""
    pool = BufferPool(tiers=(64, 128), wipe=wipe)
    for size in (64, 128):
        with pool.lease(size) as buffer:
            buffer.write(b"g" * size)
    with pool.lease(10) as buffer:
        buffer.seek(10)
        buffer.write(b"x")
        buffer.seek(100)
        buffer.write(b"y")
        assert buffer.getvalue() == bytes(10) + b"x" + bytes(89) + b"y"


@pytest.mark.parametrize("use", USES)
def test_next_buffer_is_all_zero(use):
    """H09: seen from outside."""
    pool = BufferPool(tiers=TIERS)
    with pool.lease(10) as buffer:
        USES[use](buffer)
    for size in TIERS:
        with pool.lease(size) as buffer:
            assert not any(buffer.view(readonly=True))
    assert pool.get_stats().hits >= 1
