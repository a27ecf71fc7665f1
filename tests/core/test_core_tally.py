"""Counters that threads advance at once."""

import sys
import threading

import pytest

from poolware._core import tally
from poolware._core.tally import AtomicTally, LockedTally, new_tally


@pytest.mark.parametrize("kind", [AtomicTally, LockedTally])
def test_counts_from_zero(kind):
    counter = kind()
    assert counter.value == 0
    for expected in (1, 2, 3):
        counter.tick()
        assert counter.value == counter.value == expected


@pytest.mark.parametrize("kind", [AtomicTally, LockedTally])
def test_no_tick_is_lost(kind):
    """H34: eight threads that are switched as often as possible."""
    counter = kind()

    def count():
        for _ in range(2000):
            counter.tick()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=count) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert counter.value == 16_000


def test_reading_does_not_count():
    counter = AtomicTally()
    assert [counter.value for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(("with_lock", "kind"), [(True, AtomicTally), (False, LockedTally)])
def test_free_threaded_interpreter_gets_the_one_with_a_lock(monkeypatch, with_lock, kind):
    monkeypatch.setattr(tally, "compiled", None)
    monkeypatch.setattr(tally.sys, "_is_gil_enabled", lambda: with_lock, raising=False)
    assert type(new_tally()) is kind
