"""How long things took: counts in logarithmic buckets, cheap enough to keep of everything."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["BATCH", "BOUNDS", "WAIT_BOUNDS", "Histogram", "Times"]

_R20 = (1, 1.12, 1.25, 1.4, 1.6, 1.8, 2, 2.24, 2.5, 2.8, 3.15, 3.55, 4, 4.5, 5, 5.6, 6.3, 7.1, 8, 9)
BOUNDS: tuple[float, ...] = (*(float(f"{step}e{power}") for power in range(-6, 3) for step in _R20), 1000.0)
"""Upper bounds of the buckets in seconds, from 1 µs to 1000 s: the Renard series R20 (ISO 3), twenty a decade.

Bucket ``k`` has what took more than ``BOUNDS[k - 1]`` and at most ``BOUNDS[k]``; the last has what took longer.
"""
WAIT_BOUNDS: tuple[float, ...] = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Bounds for exporters, in seconds. Each is one of `BOUNDS`, so that counting down to these is exact."""


BATCH = 256
"""How many are put into their buckets at a time."""


@dataclass(frozen=True, slots=True)
class Times:
    """What a histogram says, in seconds; all 0 where it has nothing."""

    count: int = 0
    total: float = 0.0
    min: float = 0.0
    max: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    counts: tuple[int, ...] = (0,) * (len(WAIT_BOUNDS) + 1)
    """How many took up to each of `WAIT_BOUNDS` and longer than the one before; the last: longer than all."""

    @property
    def mean(self) -> float:
        """The arithmetic mean; exact, as are count, total, min and max."""
        return self.total / self.count if self.count else 0.0


class Histogram:
    """Counts durations. Not locked: whoever uses it holds the lock of what is counted.

    What is added waits until there is a batch: sorted, they take a third of what looking up each would.
    A hot path may do what `add` does by itself, which saves it the call.
    """

    __slots__ = ("_counts", "_folding", "_max", "_min", "_total", "waiting")

    def __init__(self) -> None:
        self.waiting: list[float] = []
        """What has been added and not yet been put into a bucket."""
        self._folding = False
        self._counts = [0] * (len(BOUNDS) + 1)
        self._total = 0.0
        self._min = math.inf
        self._max = 0.0

    def add(self, seconds: float) -> None:
        """Count something that took so long."""
        self.waiting.append(seconds)
        if len(self.waiting) >= BATCH:
            self.fold()

    def fold(self) -> None:
        """Put what waits into its buckets: all of it or, if interrupted, nothing."""
        if self._folding or not self.waiting:  # a finalizer asks, in the middle of this (H35)
            return
        self._folding = True
        try:
            batch = sorted(self.waiting)
            counts, total = self._counts.copy(), self._total + sum(batch)
            shortest, longest = min(self._min, batch[0]), max(self._max, batch[-1])
            place, done = bisect_left(BOUNDS, batch[0]), 0
            while done < len(batch):
                reached = bisect_right(batch, BOUNDS[place], done) if place < len(BOUNDS) else len(batch)
                counts[place] += reached - done
                place, done = place + 1, reached
            # No call from here on, and so nobody in between.
            del self.waiting[:done]
            self._counts, self._total, self._min, self._max = counts, total, shortest, longest
        finally:
            self._folding = False

    def pop(self) -> Histogram:
        """Return another one with all of this, which begins anew."""
        self.fold()
        popped, fresh = Histogram(), Histogram()
        for name in ("_counts", "_total", "_min", "_max"):
            setattr(popped, name, getattr(self, name))
            setattr(self, name, getattr(fresh, name))
        return popped

    def __add__(self, other: Histogram) -> Histogram:
        self.fold()
        other.fold()
        both = Histogram()
        both._counts = [one + another for one, another in zip(self._counts, other._counts, strict=True)]
        both._total = self._total + other._total
        both._min, both._max = min(self._min, other._min), max(self._max, other._max)
        return both

    def times(self) -> Times:
        """Return what it says."""
        self.fold()
        count = sum(self._counts)
        if not count:
            return Times()
        median, p95, p99 = (self.percentile(share) for share in (0.5, 0.95, 0.99))
        return Times(count, self._total, self._min, self._max, median, p95, p99, _within(self._counts))

    def percentile(self, share: float) -> float:
        """Return what `share` of all stayed within, by nearest rank: the smallest for which that is true.

        Off by at most a fifteenth, for what took from 1 µs to 1000 s: of a bucket's bounds none is more than 8/7 of the
        one below it, and the harmonic mean ``2ab / (a + b)`` of two bounds is at most ``(b - a) / (a + b)`` of anything
        between them away from it. Below that it is off by 1 µs at most, and above it is the maximum.

        Raises:
            ValueError: it has nothing.
        """
        self.fold()
        rank = math.ceil(share * sum(self._counts))
        for place, count in enumerate(self._counts):
            rank -= count
            if rank <= 0 < count:
                return min(max(_middle(place, self._max), self._min), self._max)
        msg = "nothing has been counted"
        raise ValueError(msg)


def _middle(place: int, longest: float) -> float:
    if place == len(BOUNDS):
        return longest
    above, below = BOUNDS[place], BOUNDS[place - 1] if place else BOUNDS[0]
    return 2 * above * below / (above + below)


def _within(counts: Sequence[int]) -> tuple[int, ...]:
    places: Iterable[int] = (bisect_left(BOUNDS, bound) + 1 for bound in WAIT_BOUNDS)
    edges = [0, *places, len(counts)]
    return tuple(sum(counts[low:high]) for low, high in pairwise(edges))
