"""A view that is still held when its buffer goes back: as in a transport's queue."""

import gc
import io

import numpy as np
import pytest

from poolware import BufferPool, BufferReleased


@pytest.fixture
def pool():
    return BufferPool(tiers=(16, 64))


HOLDERS = {
    "view": lambda buffer: buffer.view(),
    "slice": lambda buffer: buffer.view()[2:4],
    "slice of a slice": lambda buffer: buffer.view()[1:][1:4],
    "other format": lambda buffer: buffer.view().cast("H"),
    "read-only view": lambda buffer: buffer.view(readonly=True),
    "getbuffer": lambda buffer: buffer.getbuffer(),
    "memoryview of a view": lambda buffer: memoryview(buffer.getbuffer()),
    "numpy array": lambda buffer: np.frombuffer(buffer.view(), dtype=np.uint8),
    "part of a numpy array": lambda buffer: np.frombuffer(buffer.view(), dtype=np.uint16)[1:2],
    "BufferedReader": lambda buffer: [io.BytesIO(), buffer.view(0, 6)],
}


@pytest.mark.parametrize("kind", HOLDERS)
def test_exported_memory_is_quarantined_until_the_last_view_dies(pool, kind):
    """H07 H08: then it is wiped and used again, and not before."""
    buffer = pool.acquire(10)
    buffer.write(b"geheim")
    storage = buffer._memory.obj
    identity = id(storage)
    holder = [HOLDERS[kind](buffer)]
    buffer.release()
    stats = pool.get_stats()
    assert (stats.quarantined, stats.idle, stats.in_use) == (1, 0, 0)
    assert bytes(storage).startswith(b"geheim")
    del storage
    with pool.lease(10) as other:
        assert id(other._memory.obj) != identity
    holder.clear()
    stats = pool.get_stats()
    assert (stats.quarantined, stats.idle) == (0, 2)
    assert not any(byte for resting in pool._store.idle[16] for byte in bytes(resting))
    both = [pool.acquire(10), pool.acquire(10)]
    assert identity in {id(buffer._memory.obj) for buffer in both}
    for buffer in both:
        buffer.release()


def test_all_views_must_die(pool):
    """H07."""
    buffer = pool.acquire(10)
    views = [buffer.view(), buffer.view(0, 4), buffer.getbuffer()]
    buffer.release()
    while views:
        assert pool.get_stats().quarantined == 1
        views.pop()
    assert pool.get_stats().quarantined == 0


def test_what_is_sent_stays_what_it_was(pool):
    """H07: byte for byte, while others use the pool."""
    buffer = pool.acquire(10)
    buffer.write(b"response of A")
    sending = buffer.getbuffer()
    buffer.release()
    for _ in range(3):
        with pool.lease(10) as other:
            other.write(b"response of B")
    assert bytes(sending) == b"response of A"


def test_view_that_was_released_counts_as_gone(pool):
    buffer = pool.acquire(10)
    view = buffer.view()
    view.release()
    buffer.release()
    assert pool.get_stats().quarantined == 0


def test_view_that_writes_late_dirties_nobody(pool):
    """H06 H09: what it wrote after the release is wiped when it dies."""
    buffer = pool.acquire(10)
    view = buffer.view()
    buffer.release()
    view[:] = b"x" * 16
    del view
    with pool.lease(10) as other:
        assert not any(other.view(readonly=True))
        assert pool.get_stats().hits == 1


def test_view_in_a_reference_cycle(pool):
    buffer = pool.acquire(10)
    cycle = [buffer.view()]
    cycle.append(cycle)
    buffer.release()
    del cycle
    gc.collect()
    assert pool.get_stats().quarantined == 0


def test_read_only_view_cannot_be_written(pool):
    """H44."""
    with pool.lease(10) as buffer:
        for view in (buffer.view(readonly=True), buffer.getbuffer()):
            with pytest.raises(TypeError):
                view[0] = 1


def test_view_makes_all_of_it_content(pool):
    """Until truncate() says how much was really filled."""
    with pool.lease(10) as buffer:
        buffer.view()[:4] = b"spam"
        assert len(buffer) == 16
        buffer.truncate(4)
        assert buffer.getvalue() == b"spam"
        buffer.view(0, 3, readonly=True)
        assert len(buffer) == 4


def test_values_read_from_a_buffer_never_change(pool):
    """H08: what a user gets is bytes of his own."""
    buffer = pool.acquire(10)
    buffer.write(b"line 1\nline 2")
    buffer.seek(0)
    kept = [buffer.readline(), buffer.read(), buffer.getvalue()]
    target = bytearray(6)
    buffer.seek(0)
    buffer.readinto(target)
    buffer.release()
    with pool.lease(10) as other:
        other.write(b"x" * 16)
    assert [*kept, bytes(target)] == [b"line 1\n", b"line 2", b"line 1\nline 2", b"line 1"]
    assert pool.get_stats().hits == 1


USES = {
    "write": lambda buffer: buffer.write(b"x"),
    "writelines": lambda buffer: buffer.writelines([b"x"]),
    "read": lambda buffer: buffer.read(),
    "readline": lambda buffer: buffer.readline(),
    "readinto": lambda buffer: buffer.readinto(bytearray(1)),
    "seek": lambda buffer: buffer.seek(0),
    "tell": lambda buffer: buffer.tell(),
    "truncate": lambda buffer: buffer.truncate(),
    "getvalue": lambda buffer: buffer.getvalue(),
    "getbuffer": lambda buffer: buffer.getbuffer(),
    "view": lambda buffer: buffer.view(),
    "capacity": lambda buffer: buffer.capacity,
    "len": len,
    "flush": lambda buffer: buffer.flush(),
    "readable": lambda buffer: buffer.readable(),
    "next": next,
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("exported", [False, True])
def test_use_after_release_raises(pool, use, exported):
    """H08: also a ValueError, as of a closed file."""
    buffer = pool.acquire(10)
    view = buffer.view() if exported else None
    buffer.release()
    with pytest.raises(BufferReleased, match=r"this buffer was given back; .*getvalue\(\)") as raised:
        USES[use](buffer)
    assert isinstance(raised.value, ValueError)
    del view
