"""The interval of a median."""

import random

import pytest

from poolware.sizing.interval import FEWEST, interval


def test_its_ranks_are_those_of_the_tables():
    """Of 101 values the 38th and the 64th; of the fewest possible the smallest and the largest."""
    found = interval(range(1, 102))
    assert (found.low, found.median, found.high) == (38, 51, 64)
    few = interval(range(1, FEWEST + 1))
    assert (few.low, few.high) == (1, FEWEST)


@pytest.mark.parametrize("count", [8, 21, 101])
def test_it_holds_the_true_median_in_99_of_100_cases(count):
    chance = random.Random(7)
    misses = 0
    for _ in range(2000):
        found = interval([chance.expovariate(0.6931471805599453) for _ in range(count)])
        misses += not found.low <= 1 <= found.high
    assert misses <= 35
