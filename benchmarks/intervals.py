"""The ratio of two subjects' times, with its 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 1000
SEED = 20_261_121


@dataclass(frozen=True)
class Interval:
    """A ratio, its 95 % bootstrap interval, and from how many rounds."""

    median: float
    low: float
    high: float
    rounds: int


def ratio(times: Sequence[tuple[float, float, float]]) -> Interval:
    """Return the ratio of what two subjects take beyond a third; whole rounds are drawn anew (Efron 1979).

    Each round's times are first divided by that round's own time of the second subject, so that a machine that slows
    down for a while weighs nothing. With nothing to subtract this is the median of the rounds' ratios.
    """
    subject, over, without = np.asarray(times, dtype=np.float64).T
    above, below = (subject - without) / over, (over - without) / over
    picks = np.random.default_rng(SEED).integers(len(above), size=(RESAMPLES, len(above)))
    drawn = np.median(above[picks], axis=1) / np.median(below[picks], axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(np.median(above) / np.median(below)), float(low), float(high), len(above))
