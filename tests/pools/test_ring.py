"""A ring's slots: what goes in comes out, nothing is overwritten that somebody sees, and nothing stays."""

import contextlib
import gc
import io
import pickle
import weakref

import numpy as np
import pytest

from poolware import BadOption, BufferPool, BufferRing, BufferSizeError, RingClosed, RingMisuse, RingTimeout


@pytest.fixture
def pool():
    return BufferPool(name="mine")


@pytest.fixture
def ring(pool):
    with BufferRing(slots=3, slot_size=4, buffers=pool, name="mine") as ring:
        yield ring


def fill(ring, *contents):
    for content in contents:
        ring.put(content)


def drain(ring):
    """Consume what is filled, without waiting."""
    contents = []
    while ring.get_stats().filled:
        contents.append(bytes(ring.peek()))
        ring.consume()
    return contents


# --- passing on -------------------------------------------------------------------------------------------------------


def test_what_goes_in_comes_out_in_order(ring):
    fill(ring, b"a", b"bc", b"defg")
    assert drain(ring) == [b"a", b"bc", b"defg"]


def test_slots_go_round(ring):
    for number in range(20):
        ring.put(b"%d" % number)
        assert drain(ring) == [b"%d" % number]
    assert ring.get_stats().free == 3


def test_what_is_larger_than_a_slot_takes_several(ring):
    ring.put(b"0123456789")
    assert drain(ring) == [b"0123", b"4567", b"89"]


@pytest.mark.parametrize("data", [b"abcd", bytearray(b"abcd"), np.arange(2, dtype="u2"), memoryview(b"xabcdx")[1:5]])
def test_anything_in_memory_can_be_put(ring, data):
    ring.put(data)
    assert drain(ring) == [bytes(data)]


def test_nothing_is_no_slot(ring):
    ring.put(b"")
    assert ring.get_stats().committed == 0


def test_without_copying(ring):
    """What is written to a slot is what the consumer sees."""
    view = ring.reserve()
    assert (view.nbytes, view.readonly) == (4, False)
    assert io.BytesIO(b"spam").readinto(view) == 4
    ring.commit(3)
    seen = ring.peek()
    assert (bytes(seen), seen.readonly) == (b"spa", True)


def test_a_slot_that_is_given_up(ring):
    ring.reserve()[:] = b"spam"
    ring.commit(0)
    stats = ring.get_stats()
    assert (stats.committed, stats.free, stats.filled) == (0, 3, 0)


def test_the_end(ring):
    fill(ring, b"a")
    ring.end()
    assert bytes(ring.peek()) == b"a"
    ring.consume()
    for _ in range(2):
        assert ring.peek().nbytes == 0
    with pytest.raises(RingClosed, match="ended"):
        ring.put(b"late")


def test_the_end_of_a_ring_in_which_a_slot_is_reserved(ring):
    view = ring.reserve()
    view[:] = b"half"
    ring.end()
    with pytest.raises(RingClosed):
        ring.commit(4)
    with pytest.raises(ValueError, match="released"):
        view[0] = 1
    assert list(ring) == []
    assert ring.get_stats().free == 3


def test_iteration(ring):
    fill(ring, b"a", b"b")
    ring.end()
    assert [bytes(view) for view in ring] == [b"a", b"b"]
    assert ring.get_stats().free == 3


def test_iteration_that_is_left_and_taken_up_again(ring):
    fill(ring, b"a", b"b")
    ring.end()
    for view in ring:
        assert bytes(view) == b"a"
        break
    ring.consume()
    assert [bytes(view) for view in ring] == [b"b"]


def test_iteration_in_which_one_is_consumed_by_hand(ring):
    fill(ring, b"a", b"b")
    ring.end()
    seen = []
    for view in ring:
        seen.append(bytes(view))
        ring.consume()
    assert seen == [b"a", b"b"]


# --- errors of the producer -------------------------------------------------------------------------------------------


def test_an_error_comes_after_everything_that_was_committed(ring):
    with contextlib.suppress(ZeroDivisionError), ring.producing():
        ring.put(b"a")
        raise ZeroDivisionError
    views = iter(ring)
    assert bytes(next(views)) == b"a"
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            next(views)


def test_a_block_that_ends_well(ring):
    with ring.producing() as same:
        assert same is ring
    assert list(ring) == []


@pytest.mark.parametrize("kind", [KeyboardInterrupt, GeneratorExit])
def test_what_stops_the_producer_does_not_stop_the_consumer(ring, kind):
    """H18: a cancellation concerns whom it was meant for; the consumer is told of it."""
    with pytest.raises(kind), ring.producing():
        raise kind
    with pytest.raises(RingClosed, match=kind.__name__):
        ring.peek()


def test_a_time_limit_of_the_producer_is_no_wait_of_the_consumer(ring):
    error = TimeoutError("upstream")
    ring.end(error)
    with pytest.raises(TimeoutError) as raised:
        ring.peek(1)
    assert raised.value is error


def test_an_error_is_not_kept_beyond_the_close(ring):
    """H35: its traceback holds whatever the producer and the consumer had in hand."""

    class Upstream(Exception):
        """One that can be looked at weakly."""

    error = Upstream()
    kept = weakref.ref(error)
    ring.end(error)
    ring.close()
    del error
    assert kept() is None


def test_an_interrupted_consumer_gets_the_same_slot_again(ring, monkeypatch):
    """H18: in the moment in which he had just got it."""
    fill(ring, b"a", b"b")

    def look():
        ring._state.show()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ring._consumer, "_look", look)
        with pytest.raises(KeyboardInterrupt):
            ring.peek()
    assert ring.get_stats().read == 0
    assert drain(ring) == [b"a", b"b"]


def test_only_the_first_end_counts(ring):
    ring.end()
    ring.end(ZeroDivisionError())
    assert list(ring) == []


# --- full and empty ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [0, 0.01])
def test_a_full_ring(ring, timeout):
    fill(ring, b"a", b"b", b"c")
    with pytest.raises(RingTimeout, match="'mine' of 3 slots, 3 filled and 0 held: its producer has waited"):
        ring.put(b"d", timeout)
    assert drain(ring) == [b"a", b"b", b"c"]
    fill(ring, b"d")
    assert drain(ring) == [b"d"]


def test_an_empty_ring(ring):
    with pytest.raises(RingTimeout, match="0 filled and 0 held: its consumer has waited"):
        ring.peek(0)
    fill(ring, b"a")
    assert drain(ring) == [b"a"]


def test_a_ring_that_drops_the_newest():
    with BufferRing(slots=2, slot_size=4, when_full="drop_newest") as ring:
        fill(ring, b"a", b"b", b"c", b"d")
        assert ring.get_stats().dropped == 2
        assert drain(ring) == [b"a", b"b"]
        fill(ring, b"e")
        assert drain(ring) == [b"e"]


def test_a_ring_that_drops_the_oldest():
    with BufferRing(slots=2, slot_size=4, when_full="drop_oldest") as ring:
        fill(ring, b"a", b"b", b"c", b"d")
        assert ring.get_stats().dropped == 2
        assert drain(ring) == [b"c", b"d"]


@pytest.mark.parametrize("when_full", ["drop_newest", "drop_oldest"])
def test_what_is_dropped_is_decided_at_the_commit(when_full):
    """A slot that came free meanwhile saves both."""
    with BufferRing(slots=1, slot_size=4, when_full=when_full) as ring:
        fill(ring, b"a")
        ring.reserve()[:1] = b"b"
        assert drain(ring) == [b"a"]
        ring.commit(1)
        assert drain(ring) == [b"b"]
        assert ring.get_stats().dropped == 0


@pytest.mark.parametrize("when_full", ["drop_newest", "drop_oldest"])
def test_dropping_where_the_consumer_has_all_slots(when_full):
    """Then there is nothing old to drop. The books agree at any moment."""
    with BufferRing(slots=1, slot_size=4, when_full=when_full) as ring:
        fill(ring, b"a")
        view = ring.peek()
        fill(ring, b"b", b"c")
        assert bytes(view) == b"a"
        stats = ring.get_stats()
        assert (stats.dropped, stats.lent, stats.filled) == (2, 1, 0)


def test_dropping_takes_a_piece_that_fits_and_no_part():
    with BufferRing(slots=4, slot_size=4, when_full="drop_oldest") as ring:
        with pytest.raises(BufferSizeError, match=r"5 bytes.*4"):
            ring.put(b"abcde")
        assert ring.get_stats().committed == 0


# --- views that outlive their slot ------------------------------------------------------------------------------------

HOLDERS = {
    "slice": lambda view: view[1:3],
    "memoryview of it": memoryview,
    "other format": lambda view: view.cast("H"),
    "export of the view itself": pickle.PickleBuffer,
    "numpy array": lambda view: np.frombuffer(view, dtype=np.uint8),
}


@pytest.mark.parametrize("kind", HOLDERS)
def test_a_slot_is_not_overwritten_while_it_is_seen(ring, kind):
    """H07 H08: as a transport sees it that has not sent it yet. The other slots go on meanwhile."""
    fill(ring, b"spam")
    holder = [HOLDERS[kind](ring.peek())]
    ring.consume()
    before = bytes(holder[0])
    assert (ring.get_stats().held, ring.get_stats().free) == (1, 2)
    for _ in range(5):
        fill(ring, b"eggs", b"eggs")
        with pytest.raises(RingTimeout):
            ring.put(b"eggs", 0)
        assert drain(ring) == [b"eggs", b"eggs"]
    assert bytes(holder[0]) == before
    holder.clear()
    assert (ring.get_stats().held, ring.get_stats().free) == (0, 3)
    fill(ring, b"eggs", b"eggs", b"eggs")


def test_a_view_ends_when_its_slot_is_consumed(ring):
    """H08: the very view that was lent says so, instead of showing what comes next."""
    fill(ring, b"spam")
    view = ring.peek()
    ring.consume()
    assert ring.get_stats().held == 0
    with pytest.raises(ValueError, match="released"):
        view[0]


def test_a_view_in_a_reference_cycle(ring):
    """H08: the collector tells of its end before it runs finalizers, which may still look."""
    seen = []

    class Late:
        def __del__(self):
            fill(ring, b"eggs", b"eggs", b"eggs")
            seen.append(bytes(self.view))

    fill(ring, b"spam")
    late = Late()
    late.view = ring.peek()[:]
    late.itself = late
    ring.consume()
    del late
    gc.collect()
    assert seen in ([b"\0\0\0\0"], [b"spam"])
    assert drain(ring) == [b"eggs"] * 3


def test_a_producer_that_writes_late_writes_elsewhere(ring):
    """H06: what was committed does not change, and what comes later is not touched."""
    view = ring.reserve()
    view[:] = b"spam"
    kept = view[1:]
    ring.commit(4)
    kept[:] = b"xxx"
    assert drain(ring) == [b"spam"]
    for _ in range(4):
        view = ring.reserve()
        kept[:] = b"yyy"
        assert not any(view)
        ring.commit(0)


# --- wiping -----------------------------------------------------------------------------------------------------------


def test_a_consumed_slot_is_wiped(ring):
    """H09 H14: also what was written to it and not committed."""
    ring.reserve()[:] = b"spam"
    ring.commit(1)
    memory = ring._state.filled[0]._memory
    assert drain(ring) == [b"s"]
    assert bytes(memory) == bytes(4)


@pytest.mark.parametrize("how", ["given up", "ended"])
def test_a_slot_that_was_not_committed_is_wiped(ring, how):
    """H14."""
    ring.reserve()[:] = b"spam"
    memory = ring._state.reserved._memory
    ring.commit(0) if how == "given up" else ring.end()
    assert bytes(memory) == bytes(4)


@pytest.mark.parametrize("when_full", ["drop_newest", "drop_oldest"])
def test_what_was_dropped_is_wiped(when_full, pool):
    """H14."""
    with BufferRing(slots=1, slot_size=4, when_full=when_full, buffers=pool) as ring:
        fill(ring, b"spam", b"eggs")
        assert bytes(ring._state.spare._memory) == bytes(4)


def test_a_held_slot_is_wiped_when_its_last_view_goes(ring):
    """H14."""
    fill(ring, b"spam")
    memory = ring._state.filled[0]._memory
    holder = [ring.peek()[:]]
    ring.consume()
    assert bytes(memory) == b"spam"
    holder.clear()
    assert bytes(memory) == bytes(4)


# --- closing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", [lambda ring: ring.put(b"a"), BufferRing.reserve, BufferRing.peek, BufferRing.consume])
def test_a_closed_ring(ring, use):
    fill(ring, b"a")
    ring.close()
    ring.close()
    with pytest.raises(RingClosed, match="closed"):
        use(ring)
    with pytest.raises(RingClosed):
        next(iter(ring))
    assert ring.get_stats().dropped == 1


def test_a_slot_that_is_committed_after_the_close(ring, pool):
    """The memory waits for the view of it."""
    view = ring.reserve()
    ring.close()
    assert pool.get_stats().quarantined == 1
    view[:] = b"late"
    with pytest.raises(RingClosed):
        ring.commit(4)
    del view
    assert pool.get_stats().quarantined == 0


def test_memory_goes_back_to_its_pool(pool):
    """Once, wiped."""
    with BufferRing(slots=3, slot_size=4, buffers=pool) as ring:
        fill(ring, b"aaaa", b"bbbb")
        assert bytes(ring.peek()) == b"aaaa"
        assert pool.get_stats().in_use == 1
    stats = pool.get_stats()
    assert (stats.released, stats.in_use, stats.quarantined, stats.idle, stats.refused) == (1, 0, 0, 1, 0)
    with pool.lease(12) as buffer:
        assert pool.get_stats().hits == 1
        assert not any(buffer.view(readonly=True))


def test_memory_that_is_still_seen_goes_back_later(pool):
    """H07: what is held after consuming, and what is being looked at."""
    with BufferRing(slots=3, slot_size=4, buffers=pool) as ring:
        fill(ring, b"aaaa", b"bbbb")
        held = ring.peek()[:]
        ring.consume()
        shown = ring.peek()
    assert pool.get_stats().quarantined == 1
    assert (bytes(held), bytes(shown)) == (b"aaaa", b"bbbb")
    del held
    assert pool.get_stats().quarantined == 1
    del shown
    assert (pool.get_stats().quarantined, pool.get_stats().idle) == (0, 1)


def test_a_ring_that_nobody_closed(pool, caplog):
    """H20: its memory is taken back at once, without waiting for the collector, and that is logged."""
    ring = BufferRing(slots=3, slot_size=4, buffers=pool)
    fill(ring, b"a", b"b")
    assert bytes(ring.peek()) == b"a"
    ring.consume()
    del ring
    assert "without release" in caplog.text
    assert (pool.get_stats().in_use, pool.get_stats().idle) == (0, 1)


def test_an_iterator_that_is_kept_keeps_no_memory(pool):
    with BufferRing(slots=3, slot_size=4, buffers=pool) as ring:
        fill(ring, b"aaaa")
        views = iter(ring)
        next(views)
    assert pool.get_stats().quarantined == 0
    with pytest.raises(RingClosed):
        next(views)


def test_memory_of_its_own_is_wiped_too():
    """H14."""
    ring = BufferRing(slots=3, slot_size=4)
    fill(ring, b"spam")
    kept = memoryview(ring._state.filled[0]._memory)
    ring.close()
    pool = ring._buffer._store
    assert pool.counts()["quarantined"] == 1
    del kept
    assert (pool.counts()["quarantined"], pool.counts()["idle"]) == (0, 0)


@pytest.mark.parametrize("mode", ["on", "off", "debug"])
def test_every_mode(mode, monkeypatch):
    monkeypatch.setenv("POOLWARE_MODE", mode)
    pool = BufferPool()
    with BufferRing(slots=3, slot_size=4, buffers=pool) as ring:
        for _ in range(4):
            fill(ring, b"a", b"b", b"c")
            assert drain(ring) == [b"a", b"b", b"c"]
    assert (pool.get_stats().in_use, pool.get_stats().quarantined) == (0, 0)


# --- misuse -----------------------------------------------------------------------------------------------------------


def test_a_second_slot_in_the_producers_hand(ring):
    ring.reserve()
    with pytest.raises(RingMisuse, match="no second producer"):
        ring.reserve()
    with pytest.raises(RingMisuse):
        ring.put(b"x")
    ring.commit(0)
    ring.put(b"x")


def test_a_second_slot_in_the_consumers_hand(ring):
    fill(ring, b"a", b"b")
    ring.peek()
    with pytest.raises(RingMisuse, match="no second consumer"):
        ring.peek()
    with pytest.raises(RingMisuse):
        next(iter(ring))
    ring.consume()
    assert drain(ring) == [b"b"]


@pytest.mark.parametrize(
    ("use", "message"),
    [(lambda ring: ring.commit(1), r"without reserve"), (BufferRing.consume, r"without peek")],
)
def test_wrong_order(ring, use, message):
    for _ in range(2):
        with pytest.raises(RingMisuse, match=message):
            use(ring)
    fill(ring, b"a")
    assert drain(ring) == [b"a"]


@pytest.mark.parametrize("size", [-1, 5, True, 1.0, None])
def test_a_size_that_a_slot_has_not(ring, size):
    """H42: the slot stays reserved."""
    ring.reserve()[:] = b"spam"
    with pytest.raises(BufferSizeError, match="at most 4"):
        ring.commit(size)
    ring.commit(4)
    assert drain(ring) == [b"spam"]


@pytest.mark.parametrize(
    "options",
    [
        {"slots": 0},
        {"slots": 2.0},
        {"slot_size": 0},
        {"slot_size": "1"},
        {"when_full": "raise"},
        {"when_full": None},
        {"buffers": bytearray(9)},
    ],
)
def test_bad_options(options):
    """H40."""
    with pytest.raises(BadOption, match=next(iter(options))):
        BufferRing(**options)


@pytest.mark.parametrize("timeout", [-1, "1", float("inf"), True])
def test_bad_timeouts(ring, timeout):
    """H40: and nobody is left inside."""
    with pytest.raises(BadOption, match="timeout"):
        ring.reserve(timeout)
    with pytest.raises(BadOption, match="timeout"):
        ring.peek(timeout)
    fill(ring, b"a")
    assert drain(ring) == [b"a"]


def test_more_than_the_pool_has():
    """H42."""
    with pytest.raises(BufferSizeError):
        BufferRing(slots=64, slot_size=1500, buffers=BufferPool(max_size=64_000))


def test_it_says_what_it_is(ring):
    fill(ring, b"a")
    assert repr(ring) == "<BufferRing: ring 'mine' of 3 slots, 1 filled and 0 held>"
