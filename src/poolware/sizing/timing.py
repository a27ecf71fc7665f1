"""Times of the two ways, side by side: in each round both, one right after the other, in random order."""

from __future__ import annotations

import gc
import random
import sys
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any, Literal, NamedTuple

from poolware.pools.objects import ObjectPool
from poolware.sizing.interval import FEWEST, Interval, interval
from poolware.sizing.subject import Subject

if sys.platform != "win32":
    import resource

__all__ = ["Cost", "Timing", "compare"]

_ROUND_S = 0.001
"""Seconds that each of the two gets in a round: long enough for the clock, short enough for many rounds."""
_ROUNDS = 201
_OBJECTS = 8
_WAITS = 0.01
"""Times a use gives up its core by itself, from which on it is taken to wait for something."""


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
    clock: Literal["cpu", "wall"]
    """CPU time, which other processes on the machine spoil least; or the time that passed, for what waits."""
    reused: float
    """The share of acquisitions that the pool served with an object it had."""


def compare(subject: Subject, *, seconds: float, tell: Callable[[float], object]) -> Timing:
    """Measure for about so many seconds; `tell` gets the share that is done."""
    pool = subject.pool()
    names = {"make": subject.make, "work": subject.worker, "acquire": pool.acquire, "release": pool.release, "gc": gc}
    close = "obj.close(); " if subject.closes else ""
    work = "work({}); " if subject.worker else ""
    inner = "obj.item" if subject.held else "obj"
    fresh = _Way(f"obj = make(); {work.format('obj')}{close}del obj", names)
    pooled = _Way(f"obj = acquire(); {work.format(inner)}release(obj); del obj", names)
    waits = max(way.calibrate(_ROUND_S) for way in (fresh, pooled)) > _WAITS
    clock = perf_counter if waits else process_time
    fresh.clock = pooled.clock = clock
    began = clock()
    objects = _warm(pool, subject, until=perf_counter() + seconds / 5)
    ratios: list[float] = []
    order = [fresh, pooled]
    while len(ratios) < FEWEST or (len(ratios) < _ROUNDS and clock() < began + seconds):
        random.shuffle(order)  # in a fixed order the collector's turns would hit the same way
        others = [pool.acquire() for _ in range(len(ratios) % objects)]
        for way in order:
            way.go()
        while others:
            pool.release(others.pop())
        ratios.append(pooled.times[-1] / fresh.times[-1])
        tell(min(1.0, max(len(ratios) / _ROUNDS, (clock() - began) / seconds)))
    reused = _reused(pool, subject)
    subject.empty(pool)
    name: Literal["cpu", "wall"] = "wall" if waits else "cpu"
    return Timing(fresh.cost(), pooled.cost(), interval(ratios), len(ratios), name, reused)


def _warm(pool: ObjectPool[Any], subject: Subject, until: float) -> int:
    """Have the pool build some objects, and use each; return how many.

    The rounds take turns with them: where in memory an object happens to lie can cost as much as building another.
    """
    objects: list[Any] = []
    while not objects or (len(objects) < _OBJECTS and perf_counter() < until):
        objects.append(pool.acquire())
        subject.work(objects[-1])
    count = len(objects)
    while objects:
        pool.release(objects.pop())
    return count


def _reused(pool: ObjectPool[Any], subject: Subject) -> float:
    """Return the share of some acquisitions that the pool serves with an object it has."""
    hits = []
    for _ in range(2):  # the first turn uses, and lets somebody keep, what rests there unused
        for _ in range(_OBJECTS):
            obj = pool.acquire()
            subject.work(obj)
            pool.release(obj)
            del obj
        hits.append(pool.get_stats().hits)
    return (hits[1] - hits[0]) / _OBJECTS


class _Way:
    """One of the two, as statements that are repeated."""

    def __init__(self, statement: str, names: dict[str, Any]) -> None:
        self._timer = timeit.Timer(statement, "gc.enable()", self._now, globals=names)  # the collector's turns count
        self.clock: Callable[[], float] = perf_counter
        self._loops = 1
        self._faults = 0
        self.times: list[float] = []
        """Seconds of a single repetition, a value a round."""

    def calibrate(self, seconds: float) -> float:
        """Find out how many repetitions take so long; return how often one of them gives up its core."""
        self._timer.timeit(1)  # what the first time brings with it, such as imports
        before = _usage().ru_nvcsw
        while (taken := min(self._timer.repeat(2, self._loops))) < seconds / 2:  # one of them may be interrupted
            self._loops *= 2
        switches: float = (_usage().ru_nvcsw - before) / (4 * self._loops)
        self._loops = max(1, round(self._loops * seconds / taken))
        return switches

    def go(self) -> None:
        before = _usage().ru_minflt
        self.times.append(self._timer.timeit(self._loops) / self._loops)
        self._faults += _usage().ru_minflt - before

    def _now(self) -> float:
        return self.clock()

    def cost(self) -> Cost:
        faults = self._faults / (self._loops * len(self.times)) if sys.platform != "win32" else None
        return Cost(interval(self.times).median, faults)


class _Usage(NamedTuple):
    ru_minflt: int = 0
    ru_nvcsw: int = 1 << 62
    """Voluntary switches; where nobody counts them, whatever is measured is taken to wait."""


def _usage() -> Any:
    """What the system has counted of this process."""
    return resource.getrusage(resource.RUSAGE_SELF) if sys.platform != "win32" else _Usage()
