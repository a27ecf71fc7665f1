"""Medians, bootstrap intervals and the verdict drawn from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
SEED = 20_240_229


@dataclass(frozen=True)
class Interval:
    """A median with its 95 % bootstrap interval, and from how many rounds."""

    median: float
    low: float
    high: float
    rounds: int

    @property
    def contains_one(self) -> bool:
        """Tell whether equality is among the plausible values of a ratio."""
        return self.low <= 1 <= self.high


def interval(values: Sequence[float]) -> Interval:
    """Return the median of `values` and the percentile bootstrap interval of that median (Efron 1979)."""
    sample: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    picks = np.random.default_rng(SEED).integers(len(sample), size=(RESAMPLES, len(sample)))
    low, high = np.percentile(np.median(sample[picks], axis=1), [2.5, 97.5])
    return Interval(float(np.median(sample)), float(low), float(high), len(sample))


def smallest_claim(control: Interval) -> float:
    """Return how far from 1 a ratio must be to mean anything: as far as equal servers came out apart."""
    return max(1 - control.low, control.high - 1, 0.0)


def verdict(ratio: Interval, least: float) -> str:
    """Judge a ratio of costs: `gain` below 1, `loss` above, if its interval excludes 1 and it clears `least`."""
    if ratio.contains_one or abs(ratio.median - 1) <= least:
        return "no difference"
    return "gain" if ratio.median < 1 else "loss"
