"""Intervals and verdicts."""

import numpy as np
import pytest

from poolware_compare import power, statistics
from poolware_compare.rounds import balanced
from poolware_compare.statistics import Interval, interval, verdict


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 2000)


QUIET = Interval(1.0, 0.98, 1.02, 32)


def starts(random, *, count=8, each=4, between=0.01, within=0.03, truth=1.0):
    """Ratios as they come: every start of the servers has an error of its own."""
    return [truth + random.normal(0, between) + random.normal(0, within, each) for _ in range(count)]


def test_interval_holds_the_truth_about_as_often_as_it_says():
    """Also where two processes of one program differ for as long as they live."""
    random = np.random.default_rng(7)
    held = sum(interval(starts(random)).contains_one for _ in range(100))
    assert held >= 90


def test_five_per_cent_are_seen():
    random = np.random.default_rng(8)
    assert sum(interval(starts(random, truth=1.05)).low > 1 for _ in range(20)) >= 18


def test_values_of_one_start_are_worth_less_than_of_several():
    values = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]
    each_start_its_own = interval([[value] * 8 for value in values])
    each_start_the_same = interval([values] * 8)
    assert each_start_its_own.half_width > 1.5 * each_start_the_same.half_width


def test_starts_that_were_cut_short_count_for_what_they_have():
    found = interval([[1.0, 1.0, 1.0], [2.0]])
    assert (found.median, found.rounds) == (1.0, 4)


@pytest.mark.parametrize("values", [[[1.0]], [[1.0], [1.0]]])
def test_least_that_there_can_be(values):
    assert interval(values).median == interval(values).low == interval(values).high == 1.0


@pytest.mark.parametrize(
    ("ratio", "control", "word"),
    [
        ((0.8, 0.79, 0.81), QUIET, "gain"),
        ((1.2, 1.19, 1.21), QUIET, "loss"),
        ((0.99, 0.97, 1.01), QUIET, "no difference"),
        ((0.985, 0.98, 0.99), QUIET, "no difference"),
        ((0.5, 0.49, 0.51), Interval(1.1, 1.05, 1.2, 32), "no claim"),
        ((0.5, 0.49, 0.51), None, "no claim"),
    ],
    ids=["cheaper", "dearer", "unsure", "within what equal servers showed", "equal servers differ", "no control"],
)
def test_verdict(ratio, control, word):
    assert verdict(Interval(*ratio, 32), control) == word


def test_few_rounds_claim_nothing():
    """Not even the least and the greatest of five values bound their median with 95 %."""
    assert verdict(Interval(0.5, 0.49, 0.51, 5), QUIET) == "no claim"
    assert verdict(Interval(0.5, 0.49, 0.51, 6), QUIET) == "gain"


def test_study_of_power_counts_false_alarms_and_what_was_found():
    apart = Interval(1.05, 1.01, 1.08, 120)
    runs = [
        power.Run(QUIET, apart, "loss"),
        power.Run(apart, apart, "no claim"),
        power.Run(QUIET, QUIET, "no difference"),
    ]
    *_, different, found = power.summary(runs, 5.0)
    assert different == "equal servers came out different in 1 of 3 runs"
    assert found == "a slowdown of 5 % was found in 2 of 3 runs, and called a loss in 1"


def test_order_of_blocks_is_balanced():
    """Each arm has each place, and follows and precedes each other arm, equally often."""
    orders = [balanced("ABCD", block) for block in range(8)]
    for arm in "ABCD":
        assert sorted(order.index(arm) for order in orders) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert orders[1] == orders[0][::-1]
