"""Any order of everything that can be done to a ring, against a deque."""

from collections import deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from poolware import BufferPool, BufferRing, RingClosed, RingMisuse, RingTimeout

SLOT = 4


class Rings(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.pool = BufferPool()
        self.filled = deque()
        self.written = self.shown = None
        self.held = []
        self.dropped = 0
        self.ended = False

    @initialize(slots=st.integers(1, 4), when_full=st.sampled_from(["wait", "drop_newest", "drop_oldest"]))
    def make(self, slots, when_full):
        self.ring = BufferRing(slots=slots, slot_size=SLOT, when_full=when_full, buffers=self.pool)
        self.drops = when_full
        self.slots = slots

    def free(self):
        return self.slots - len(self.filled) - len(self.held) - (self.shown is not None)

    @rule(content=st.binary(min_size=SLOT, max_size=SLOT))
    def reserve(self, content):
        if self.ended:
            with pytest.raises(RingClosed):
                self.ring.reserve(0)
        elif self.written is not None:
            with pytest.raises(RingMisuse):
                self.ring.reserve(0)
        elif self.drops == "wait" and not self.free():
            with pytest.raises(RingTimeout):
                self.ring.reserve(0)
        else:
            view = self.ring.reserve(0)
            assert not any(view)
            view[:] = content
            self.written = content

    @rule(size=st.integers(0, SLOT))
    def commit(self, size):
        if self.ended:
            with pytest.raises(RingClosed):
                self.ring.commit(size)
            return
        if self.written is None:
            with pytest.raises(RingMisuse):
                self.ring.commit(size)
            return
        room = self.free()
        self.ring.commit(size)
        content, self.written = self.written[:size], None
        if not content:
            return
        if room:
            self.filled.append(content)
        elif self.drops == "drop_oldest" and self.filled:
            self.filled.popleft()
            self.filled.append(content)
            self.dropped += 1
        else:
            assert self.drops != "wait"
            self.dropped += 1

    @rule()
    def peek(self):
        if self.shown is not None:
            with pytest.raises(RingMisuse):
                self.ring.peek(0)
        elif self.filled:
            self.shown = self.ring.peek(0), self.filled.popleft()
        elif self.ended:
            assert self.ring.peek(0).nbytes == 0
        else:
            with pytest.raises(RingTimeout):
                self.ring.peek(0)

    @rule(hold=st.booleans())
    def consume(self, hold):
        if self.shown is None:
            with pytest.raises(RingMisuse):
                self.ring.consume()
            return
        view, content = self.shown
        self.shown = None
        if hold:
            self.held.append((view[:], content))
        self.ring.consume()

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def let_go(self, data):
        del self.held[data.draw(st.integers(0, len(self.held) - 1))]

    @precondition(lambda self: not self.ended)
    @rule(often=st.integers(0, 9))
    def end(self, often):
        if often == 0:
            self.ring.end()
            self.ended, self.written = True, None

    @invariant()
    def what_is_seen_is_right(self):
        for view, content in [*self.held, *([self.shown] if self.shown else [])]:
            assert bytes(view) == content

    @invariant()
    def the_books_agree(self):
        if not hasattr(self, "ring"):
            return
        stats = self.ring.get_stats()
        assert stats.slots == stats.free + stats.filled + stats.lent + stats.held
        assert stats.committed == stats.read + stats.dropped + stats.filled
        assert (stats.filled, stats.held, stats.dropped) == (len(self.filled), len(self.held), self.dropped)

    def teardown(self):
        if hasattr(self, "ring"):
            self.ring.close()
        self.held.clear()
        self.shown = None
        stats = self.pool.get_stats()
        assert (stats.in_use, stats.quarantined, stats.refused) == (0, 0, 0)
        if self.pool.get_stats().idle:
            with self.pool.lease(SLOT) as buffer:
                assert not any(buffer.view())


TestRings = Rings.TestCase
TestRings.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
