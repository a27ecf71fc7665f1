"""Times of the two ways, side by side: in each round both, one right after the other, in random order."""

from __future__ import annotations

import gc
import random
import sys
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from poolware.sizing.interval import FEWEST, Interval, interval
from poolware.sizing.subject import Subject

if sys.platform != "win32":
    import resource

__all__ = ["Cost", "Timing", "compare"]

_ROUND_S = 0.004
"""Seconds that each of the two gets in a round: long enough for the clock, short enough for many rounds."""
_ROUNDS = 101


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one object's way from its making, or acquisition, to its end, or release."""

    seconds: float
    page_faults: float | None
    """None where the system does not count them."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Both ways, and the ratio of their times within each round."""

    fresh: Cost
    pooled: Cost
    ratio: Interval
    """Pooled over fresh: below 1 the pool is cheaper."""
    rounds: int
    reused: float
    """The share of acquisitions that the pool served with an object it had."""


def compare(subject: Subject, *, seconds: float, tell: Callable[[float], object]) -> Timing:
    """Measure for about so many seconds; `tell` gets the share that is done."""
    pool = subject.pool()
    names = {"make": subject.make, "work": subject.worker, "acquire": pool.acquire, "release": pool.release, "gc": gc}
    obj = pool.acquire()
    close = "obj.close(); " if subject.closes(obj) else ""
    pool.release(obj)
    del obj
    work = "work({}); " if subject.worker else ""
    inner = "obj.item" if subject.held else "obj"
    fresh = _Way(f"obj = make(); {work.format('obj')}{close}del obj", names)
    pooled = _Way(f"obj = acquire(); {work.format(inner)}release(obj); del obj", names)
    before = pool.get_stats()
    end = perf_counter() + seconds
    began = perf_counter()
    for way in (fresh, pooled):
        way.calibrate(min(_ROUND_S, seconds / 20))
    ratios: list[float] = []
    order = [fresh, pooled]
    while len(ratios) < FEWEST or (len(ratios) < _ROUNDS and perf_counter() < end):
        random.shuffle(order)  # in a fixed order the collector's turns would hit the same way
        for way in order:
            way.go()
        ratios.append(pooled.times[-1] / fresh.times[-1])
        tell(min(1.0, max(len(ratios) / _ROUNDS, (perf_counter() - began) / seconds)))
    after = pool.get_stats()
    subject.empty(pool)
    reused = (after.hits - before.hits) / (after.acquired - before.acquired)
    return Timing(fresh.cost(), pooled.cost(), interval(ratios), len(ratios), reused)


class _Way:
    """One of the two, as statements that are repeated."""

    def __init__(self, statement: str, names: dict[str, Any]) -> None:
        self._timer = timeit.Timer(statement, "gc.enable()", perf_counter, globals=names)  # the collector's turns count
        self._loops = 1
        self._faults = 0
        self.times: list[float] = []
        """Seconds of a single repetition, a value a round."""

    def calibrate(self, seconds: float) -> None:
        self._timer.timeit(1)  # what the first time brings with it, such as imports
        while (taken := self._timer.timeit(self._loops)) < seconds / 2:
            self._loops *= 2
        self._loops = max(1, round(self._loops * seconds / taken))

    def go(self) -> None:
        before = _page_faults()
        self.times.append(self._timer.timeit(self._loops) / self._loops)
        self._faults += _page_faults() - before

    def cost(self) -> Cost:
        faults = self._faults / (self._loops * len(self.times)) if sys.platform != "win32" else None
        return Cost(interval(self.times).median, faults)


def _page_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt if sys.platform != "win32" else 0
