import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolware._core import histogram
from poolware._core.histogram import BATCH, BOUNDS, WAIT_BOUNDS, Histogram, Times

SECONDS = st.floats(min_value=1e-6, max_value=1000.0) | st.sampled_from(BOUNDS)


def counted(values):
    times = Histogram()
    for value in values:
        times.add(value)
    return times


def exact(values, share):
    """The smallest value that this share of all is not above: the percentile by nearest rank."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def test_the_bounds_are_a_renard_series():
    """Twenty a decade, none more than 8/7 of the one before: the source of the error bound."""
    assert len(BOUNDS) == 9 * 20 + 1
    assert (BOUNDS[0], BOUNDS[-1]) == (1e-6, 1000.0)
    assert max(high / low for low, high in pairwise(BOUNDS)) <= 8 / 7 + 1e-9


@given(st.lists(SECONDS, min_size=1, max_size=2 * BATCH + 3))
def test_percentiles_are_off_by_a_fifteenth_at_most(values):
    times = counted(values).times()
    for share, told in ((0.5, times.p50), (0.95, times.p95), (0.99, times.p99)):
        assert told == pytest.approx(exact(values, share), rel=1 / 15 + 1e-9)


@given(st.lists(st.floats(min_value=0, max_value=1e9), min_size=1, max_size=2 * BATCH + 3))
def test_everything_else_is_exact_whatever_is_counted(values):
    times = counted(values).times()
    assert (times.count, times.min, times.max) == (len(values), min(values), max(values))
    assert times.total == pytest.approx(math.fsum(values))
    assert times.mean == pytest.approx(math.fsum(values) / len(values))
    assert times.min <= times.p50 <= times.p95 <= times.p99 <= times.max
    bounds = (-1.0, *WAIT_BOUNDS, math.inf)
    assert times.counts == tuple(sum(low < value <= high for value in values) for low, high in pairwise(bounds))


@given(st.lists(st.lists(SECONDS | st.just(None), max_size=BATCH), max_size=4))
def test_what_was_popped_and_what_is_left_are_everything(parts):
    """In whatever steps it is taken out."""
    whole, taken = Histogram(), Histogram()
    here = Histogram()
    for part in parts:
        for value in part:
            if value is None:
                taken += here.pop()
            else:
                whole.add(value)
                here.add(value)
    together, expected = (taken + here).times(), whole.times()
    assert replace(together, total=0) == replace(expected, total=0)
    assert together.total == pytest.approx(expected.total)


def test_an_empty_one_says_nothing():
    assert Histogram().times() == Times()
    assert Times().mean == 0
    with pytest.raises(ValueError, match="nothing has been counted"):
        Histogram().percentile(0.5)


@pytest.mark.parametrize("value", [0.0, 1e-9, 1e-6])
def test_what_is_too_short_to_tell_is_off_by_a_microsecond_at_most(value):
    times = counted([value, 1e-6]).times()
    assert abs(times.p50 - value) <= 1e-6


def test_what_is_longer_than_all_bounds_is_told_as_the_longest():
    times = counted([2000.0, 5000.0]).times()
    assert (times.min, times.p50, times.p95, times.p99, times.max) == (2000.0, 5000.0, 5000.0, 5000.0, 5000.0)


def test_a_finalizer_that_adds_in_the_middle_is_counted_once(monkeypatch):
    """H35: whatever runs inside may add, and fill a batch of its own."""
    times = counted([0.001] * (BATCH - 1))

    def interfering(*args):
        monkeypatch.undo()
        for _ in range(2 * BATCH):
            times.add(0.5)
        return histogram.bisect_right(*args)

    monkeypatch.setattr(histogram, "bisect_right", interfering)
    times.add(0.001)
    told = times.times()
    assert (told.count, told.total) == (3 * BATCH, pytest.approx(BATCH * 0.001 + 2 * BATCH * 0.5))


def test_an_interrupt_loses_nothing(monkeypatch):
    times = counted([0.001] * (BATCH - 1))

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(histogram, "bisect_right", interrupted)
    with pytest.raises(KeyboardInterrupt):
        times.add(0.002)
    monkeypatch.undo()
    assert times.times().count == BATCH
    assert times.times().count == BATCH
