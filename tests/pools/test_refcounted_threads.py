"""References taken and given up by many threads at once, and in every order."""

import contextlib
import random
import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from many_threads import THREADS, run_in_threads
from pool_samples import check_books, tool_pool

from poolware import AlreadyReleased, BufferPool, ObjectReleased, RefCounted

ROUNDS = 150


pytestmark = pytest.mark.usefixtures("fast_switching")


def test_the_last_of_many_threads_gives_back_once():
    """H34 H12: whoever that is, and nobody before."""
    pool = tool_pool()
    for _ in range(60):
        handle = RefCounted.acquire(pool)
        tool = handle.value
        tool.owner = "us"
        barrier = threading.Barrier(THREADS)

        def use(_number, handle=handle, tool=tool, barrier=barrier):
            with handle.retain() as held:
                barrier.wait()
                for _ in range(5):
                    with held.retain():
                        assert held.value is tool
                assert tool.owner == "us"

        run_in_threads(use)
        assert handle.count == 1
        handle.release()
        del handle, tool, use
    stats = check_books(pool, threads=THREADS)
    assert (stats.released, stats.in_use, stats.refused, stats.lost) == (60, 0, 0, 0)


def test_one_reference_and_many_who_release_it():
    """H12: one of them gives back, the others are told."""
    pool, told = BufferPool(), []
    for _ in range(60):
        handle = RefCounted.acquire(pool, 10)
        barrier = threading.Barrier(THREADS)

        def use(_number, handle=handle, barrier=barrier):
            barrier.wait()
            try:
                handle.release()
            except AlreadyReleased:
                told.append(True)

        run_in_threads(use)
    stats = pool.get_stats()
    assert len(told) == 60 * (THREADS - 1)
    assert (stats.released, stats.in_use, stats.refused) == (60, 0, 0)


def test_who_retains_in_the_moment_of_the_last_release():
    """Either gets a reference, or is told; never an object that has gone back."""
    pool, late = BufferPool(), 0
    for number in range(ROUNDS):
        handle = RefCounted.acquire(pool, 10)
        content = b"%d" % number
        handle.value.write(content)
        barrier = threading.Barrier(THREADS)
        got = []

        def use(number, handle=handle, barrier=barrier, got=got):
            barrier.wait()
            if number == 1:
                handle.release()
                return
            with contextlib.suppress(ObjectReleased), handle.retain():
                got.append(handle.value.getvalue())

        run_in_threads(use)
        assert set(got) <= {content}
        late += THREADS - 1 - len(got)
        assert handle.count == 0
    stats = pool.get_stats()
    assert (stats.released, stats.in_use, stats.refused) == (ROUNDS, 0, 0)
    assert late


def test_references_passed_from_thread_to_thread():
    """H31: taken here, given up there."""
    pool, passed = BufferPool(), []

    def use(number):
        chance = random.Random(number)
        for _ in range(ROUNDS):
            if chance.random() < 0.5:
                passed.append(RefCounted.acquire(pool, 10))
            else:
                with contextlib.suppress(IndexError), passed.pop() as handle:
                    passed.append(handle.retain())
                    with contextlib.suppress(IndexError):
                        passed.pop().release()

    run_in_threads(use)
    while passed:
        passed.pop().release()
    stats = pool.get_stats()
    assert stats.acquired == stats.released
    assert (stats.in_use, stats.refused, stats.quarantined) == (0, 0, 0)


class Handles(RuleBasedStateMachine):
    """Any order of retain and release on any number of handles, against plain numbers."""

    handles: Bundle = Bundle("handles")

    def __init__(self):
        super().__init__()
        self.pool = BufferPool()
        self.counts = {}
        self.released = 0

    @rule(target=handles, size=st.integers(0, 5000))
    def acquire(self, size):
        handle = RefCounted.acquire(self.pool, size)
        self.counts[handle] = 1
        return handle

    @rule(handle=handles)
    def retain(self, handle):
        if self.counts[handle]:
            handle.retain()
            self.counts[handle] += 1
        else:
            with pytest.raises(ObjectReleased):
                handle.retain()

    @rule(handle=handles)
    def release(self, handle):
        if self.counts[handle]:
            handle.release()
            self.counts[handle] -= 1
            self.released += not self.counts[handle]
        else:
            with pytest.raises(AlreadyReleased):
                handle.release()

    @rule(handle=consumes(handles))
    def release_all(self, handle):
        while self.counts[handle]:
            self.release(handle)

    @invariant()
    def the_books_agree(self):
        stats = self.pool.get_stats()
        assert {handle: handle.count for handle in self.counts} == self.counts
        assert stats.in_use == sum(map(bool, self.counts.values()))
        assert (stats.released, stats.refused) == (self.released, 0)

    def teardown(self):
        for handle in self.counts:
            self.release_all(handle)


TestHandles = Handles.TestCase
TestHandles.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
