"""An interrupt between any two instructions: no byte goes astray, and no memory is lost."""

import contextlib

import pytest
from interrupts import Interrupt, interrupted_everywhere

from poolware import BufferPool, BufferRing, ObjectReleased, PoolwareError, RefCounted
from poolware.pools.rings.sides import Side
from poolware.pools.rings.slots import Slot
from poolware.pools.rings.state import RingState

CODES = {
    "take": Side.wait,
    "reserve": RingState.reserve,
    "commit": RingState.commit,
    "hand on": RingState._take_reserved,
    "show": RingState.show,
    "consume": RingState.consume,
    "lend to the writer": Slot.lend_to_writer,
    "take from the writer": Slot.take_from_writer,
    "lend to the reader": Slot.lend_to_reader,
    "take from the reader": Slot.take_from_reader,
    "revoke": Slot._revoke,
}


@pytest.mark.parametrize("where", CODES)
@pytest.mark.parametrize("when_full", ["wait", "drop_oldest"])
def test_a_ring_interrupted_anywhere(where, when_full):
    """H18: whatever still comes out is something that went in; and closing gives all memory back, wiped."""
    pool = BufferPool(tiers=(64,))
    contents = {b"aaaa", b"bbbb", b"cccc"}

    def act(start):
        ring = BufferRing(slots=2, slot_size=4, when_full=when_full, buffers=pool)
        ring.put(b"aaaa")
        with contextlib.suppress(Interrupt):
            start()
            ring.put(b"bbbb", 0)
            assert bytes(ring.peek(0)) in contents
            ring.consume()
        with contextlib.suppress(PoolwareError, Interrupt):
            ring.put(b"cccc", 0)
        for _ in range(4):
            with contextlib.suppress(PoolwareError, Interrupt):
                view = ring.peek(0)
                assert bytes(view) in contents
                del view
            with contextlib.suppress(PoolwareError, Interrupt):
                ring.consume()
        ring.close()

    interrupted_everywhere(CODES[where].__code__, act)
    stats = pool.get_stats()
    assert (stats.in_use, stats.quarantined, stats.refused) == (0, 0, 0)
    with pool.lease(64) as buffer:
        assert not any(buffer.view(readonly=True))


@pytest.mark.parametrize("where", [RefCounted.retain, RefCounted.release], ids=lambda f: f.__name__)
def test_a_handle_interrupted_anywhere(where, caplog):
    """H18, H12: it is given back once, by its last release or as lost, and never used after that."""
    pool = BufferPool()

    def act(start):
        handle = RefCounted.acquire(pool, 10)
        with contextlib.suppress(Interrupt):
            start()
            with handle.retain():
                pass
            handle.release()
        alive = pool.get_stats().in_use == 1
        if not alive:
            with pytest.raises(ObjectReleased):
                handle.value  # noqa: B018
        assert alive or handle.count == 0
        del handle
        assert pool.get_stats().in_use == 0

    interrupted_everywhere(where.__code__, act)
    stats = pool.get_stats()
    assert (stats.acquired, stats.refused, stats.quarantined) == (stats.released, 0, 0)
