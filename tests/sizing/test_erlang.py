"""Erlang's formulas against published figures and against sums in exact arithmetic."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolware import BadOption
from poolware.sizing import erlang_b, erlang_c, size_for_wait, waiting


@pytest.mark.parametrize(
    ("size", "load", "blocked"),
    [
        # Tables of offered traffic by number of lines and blocking.
        (1, 0.0101, 0.01),
        (5, 1.361, 0.01),
        (10, 4.461, 0.01),
        (15, 8.108, 0.01),
        (20, 12.03, 0.01),
        (50, 37.90, 0.01),
        (100, 84.06, 0.01),
        (10, 3.092, 0.001),
        (100, 75.24, 0.001),
        (10, 6.216, 0.05),
    ],
)
def test_blocking_is_that_of_the_tables(size, load, blocked):
    assert erlang_b(size, load) == pytest.approx(blocked, rel=0.005)


def test_the_call_centre_of_the_tutorials():
    """360 calls in half an hour, four minutes each, 55 agents: 23.9 % wait, 8.2 seconds on average."""
    waits = waiting(55, 0.2, 240)
    assert waits.utilization == pytest.approx(0.873, abs=5e-4)
    assert waits.probability == pytest.approx(0.239, abs=5e-4)
    assert waits.mean_s == pytest.approx(8.2, abs=0.05)


@pytest.mark.parametrize(("size", "load", "probability"), [(14, 10, 0.174), (11, 10, 0.682), (12, 10, 0.449)])
def test_waiting_is_that_of_the_tables(size, load, probability):
    assert erlang_c(size, load) == pytest.approx(probability, abs=5e-4)


def exact(size: int, load: Fraction) -> Fraction:
    """The sum that defines Erlang C."""
    last = load**size / math.factorial(size) * size / (size - load)
    return last / (sum(load**n / math.factorial(n) for n in range(size)) + last)


@given(size=st.integers(1, 60), share=st.fractions("1/100", "99/100", max_denominator=1000))
def test_waiting_is_the_sum_that_defines_it(size, share):
    load = size * share
    assert erlang_c(size, float(load)) == pytest.approx(float(exact(size, load)), rel=1e-9)


def test_one_object_waits_as_often_as_it_is_in_use():
    """M/M/1: the probability is the utilization, and the mean wait rho / (1 - rho) hold times."""
    waits = waiting(1, 8, 0.1)
    assert waits.probability == pytest.approx(0.8)
    assert waits.mean_s == pytest.approx(0.8 / 0.2 * 0.1)
    assert waits.p99_s == pytest.approx(math.log(0.8 / 0.01) * 0.1 / 0.2)


def test_thousands_of_objects_neither_overflow_nor_cancel():
    """Halfin and Whitt's limit for a pool one square root above its load: 22.3 % wait."""
    load = 1_000_000 - 1000
    assert erlang_c(1_000_000, load) == pytest.approx(0.2233, abs=0.002)
    assert erlang_b(5000, 1.0) == 0


def test_more_than_the_pool_can_serve_waits_without_end():
    waits = waiting(10, 1000, 0.02)
    assert (waits.probability, waits.mean_s, waits.p99_s) == (1, math.inf, math.inf)
    assert erlang_c(10, 10) == 1


@given(rate=st.floats(1, 1000), hold=st.floats(1e-3, 1), target=st.floats(0, 1))
def test_the_size_for_a_wait_is_the_smallest(rate, hold, target):
    found = size_for_wait(rate, hold, target)
    assert found.p99_s <= target
    assert found == waiting(found.size, rate, hold)
    if found.size > 1:
        assert waiting(found.size - 1, rate, hold).p99_s > target


@pytest.mark.parametrize(
    ("size", "load"), [(0, 1.0), (-1, 1.0), (True, 1.0), (2.0, 1.0), (1, 0), (1, math.nan), (1, math.inf), (10**9, 1.0)]
)
def test_what_is_no_pool_is_refused(size, load):
    with pytest.raises(BadOption, match="it takes"):
        erlang_c(size, load)
