"""Medians, bootstrap intervals and the verdict drawn from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
SEED = 20_240_229
NO_CLAIM = "no claim"
FEWEST_ROUNDS = 6
"""The least and the greatest of fewer values bound their median with less than 95 %."""
STUDENT = (12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
"""Student's t for 95 % on two sides, with 1, 2, … degrees of freedom; a normal deviate is near enough from there on."""


@dataclass(frozen=True)
class Interval:
    """A median with its 95 % bootstrap interval, and from how many rounds."""

    median: float
    low: float
    high: float
    rounds: int

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f}, {self.high:.3f}]"

    @property
    def contains_one(self) -> bool:
        """Tell whether equality is among the plausible values of a ratio."""
        return self.low <= 1 <= self.high

    @property
    def half_width(self) -> float:
        """How far the interval reaches to each side, as a share of the median."""
        return (self.high - self.low) / 2 / self.median


def interval(starts: Sequence[Sequence[float]]) -> Interval:
    """Return the median of values and the bootstrap interval of that median (Efron 1979).

    The values are those of several starts of the servers, and are drawn as they came about: first a start, then values
    of that start (Davison and Hinkley 1997, 3.8). Two processes of one program differ for as long as they live, by how
    their memory happens to lie, so values from one start are worth less than as many from several. Percentiles of few
    starts would promise too much, and are taken farther out (Hesterberg 2015, expanded percentile interval).
    """
    table, counts = _table(starts)
    random = np.random.default_rng(SEED)
    picked = random.integers(len(counts), size=(RESAMPLES, len(counts)))
    places = (random.random((RESAMPLES, len(counts), table.shape[1])) * counts[picked][:, :, None]).astype(np.intp)
    values = table[picked[:, :, None], places]
    # Starts that were cut short have fewer values, and keep that weight.
    values[np.arange(table.shape[1]) >= counts[picked][:, :, None]] = np.nan
    outside = 100 * _tail(len(counts) if len(counts) > 1 else int(counts[0]))
    low, high = np.percentile(np.nanmedian(values.reshape(RESAMPLES, -1), axis=1), [outside, 100 - outside])
    return Interval(float(np.nanmedian(table)), float(low), float(high), int(counts.sum()))


def _tail(count: int) -> float:
    """Return which share of the resamples lies below an interval that rests on so many independent values."""
    if count < 2:
        return 0.0
    degrees = count - 1
    deviate = STUDENT[degrees - 1] if degrees <= len(STUDENT) else NormalDist().inv_cdf(0.975)
    return NormalDist().cdf(-sqrt(count / degrees) * deviate)


def _table(starts: Sequence[Sequence[float]]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    counts = np.array([len(values) for values in starts])
    table = np.full((len(starts), counts.max()), np.nan)
    for row, values in zip(table, starts, strict=True):
        row[: len(values)] = values
    return table, counts


def smallest_claim(control: Interval) -> float:
    """Return how far from 1 a ratio must be to mean anything: as far as equal servers came out apart."""
    return max(1 - control.low, control.high - 1, 0.0)


def verdict(ratio: Interval, control: Interval | None) -> str:
    """Judge a ratio of costs in words: `gain` below 1, `loss` above, `no difference`, or `no claim`.

    It takes an interval that excludes 1, and a median farther from 1 than equal servers came out apart. Nothing is
    claimed where equal servers came out different, nor from fewer than six rounds.
    """
    if control is None or not control.contains_one or ratio.rounds < FEWEST_ROUNDS:
        return NO_CLAIM
    if ratio.contains_one or abs(ratio.median - 1) <= smallest_claim(control):
        return "no difference"
    return "gain" if ratio.median < 1 else "loss"
