"""How large a pool is to be: by rule of thumb, or by what it is seen to need."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from poolware._core.options import positive, share, whole_number
from poolware.errors import BadOption
from poolware.pools.tending.tended import Tended

__all__ = ["DynamicSizing", "StaticSizing"]


class StaticSizing(NamedTuple):
    """What to pass to a pool: ``ObjectPool(Job, **StaticSizing.steady(40)._asdict())``.

    Rules of thumb: half as many again as are in use on average, or twice as many as in use at the peak where load comes
    in bursts; never more than twice as many as at the start.
    """

    prewarm: int
    max_idle: int

    @classmethod
    def steady(cls, average: float) -> StaticSizing:
        """For a load without bursts, and `average` objects in use."""
        return cls._of(1.5 * positive("average", average))

    @classmethod
    def bursty(cls, peak: float) -> StaticSizing:
        """For a load with bursts, and `peak` objects in use at the most."""
        return cls._of(2 * positive("peak", peak))

    @classmethod
    def _of(cls, initial: float) -> StaticSizing:
        return cls(math.ceil(initial), 2 * math.ceil(initial))


@dataclass(frozen=True, slots=True)
class DynamicSizing:
    """How many objects a pool keeps follows its use: ``ObjectPool(Job, sizing=DynamicSizing())``.

    At the end of each period it compares the peak of use with the pool's size. Above `grow_over` of it, or if more than
    `exhausted_over` of what was released found no room, the pool grows. Below `shrink_under` in `patience` periods one
    after another it shrinks. The pool begins with `minimum`, or with what it is prewarmed with if that is more, and
    never keeps more than its ``max_idle``.

    Args:
        minimum: the pool's size is never less.
        grow_over: a share of the size.
        shrink_under: a share of the size; less than ``grow_over / factor``, or it would grow back at once.
        factor: what the size is multiplied or divided by.
        exhausted_over: a share of the releases.
        patience: periods.
        period: seconds.
    """

    minimum: int = 10
    grow_over: float = 0.8
    shrink_under: float = 0.3
    factor: float = 1.5
    exhausted_over: float = 0.01
    patience: int = 2
    period: float = 60.0

    def __post_init__(self) -> None:
        whole_number("minimum", self.minimum, at_least=1)
        whole_number("patience", self.patience, at_least=1)
        positive("period", self.period)
        for option in ("grow_over", "shrink_under", "exhausted_over"):
            share(option, getattr(self, option))
        if positive("factor", self.factor) <= 1:
            msg = f"factor={self.factor!r}: it takes a number above 1"
            raise BadOption(msg)
        if self.shrink_under >= self.grow_over / self.factor:
            msg = f"shrink_under={self.shrink_under!r}: it takes less than grow_over / factor"
            raise BadOption(msg)


LOOKS = 60
"""How often a pool is looked at within a period, for the peak of its use."""


class Sizer:
    """Resizes a pool as its `DynamicSizing` says. Its use is what the looks see; what found no room is counted."""

    def __init__(self, sizing: DynamicSizing, pool: Tended, *, start: int, maximum: int) -> None:
        self._sizing = sizing
        self._pool = pool
        self._maximum = maximum
        self._looks = self._peak = self._low_periods = 0
        self._released = self._dropped = 0
        pool.resize(self._bounded(start))

    def beat(self) -> None:
        """Look; at the end of a period resize the pool if it is to be."""
        _, in_use, acquired, dropped = self._pool._counts()
        self._peak = max(self._peak, in_use)
        self._looks += 1
        if self._looks < LOOKS:
            return
        released = acquired - in_use
        exhausted = (dropped - self._dropped) / max(1, released - self._released)
        size = self._next(self._pool.max_idle, exhausted)
        if size != self._pool.max_idle:
            self._pool.resize(size)
        self._looks, self._peak, self._released = 0, in_use, released
        self._dropped = self._pool._counts().dropped  # what the resizing dropped is no sign of exhaustion

    def _next(self, size: int, exhausted: float) -> int:
        sizing = self._sizing
        use = self._peak / max(1, size)
        self._low_periods = self._low_periods + 1 if use < sizing.shrink_under else 0
        if use > sizing.grow_over or exhausted > sizing.exhausted_over:
            self._low_periods = 0
            return self._bounded(size * sizing.factor)
        if self._low_periods >= sizing.patience:
            self._low_periods = 0
            return self._bounded(size / sizing.factor)
        return size

    def _bounded(self, size: float) -> int:
        return min(max(self._sizing.minimum, math.ceil(size)), self._maximum)
