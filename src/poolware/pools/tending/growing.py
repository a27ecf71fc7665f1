"""Building ahead, as a pool's growth strategy says."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from poolware._core.apart import run_apart
from poolware.pools.forks import restart_in_child
from poolware.pools.tending.growth import LOOKS, Growth, Usage
from poolware.pools.tending.tended import Tended


class Grower:
    """Looks at a pool every so often, and builds what its strategy says is missing.

    Building has a thread of its own: a slow factory stops nothing else.
    """

    _PAUSE = 1.0
    """Seconds from a failure to the next attempt."""

    def __init__(self, growth: Growth, pool: Tended, clock: Callable[[], float] = time.monotonic) -> None:
        self._growth = growth
        self._pool = pool
        self._clock = clock
        self._seen: deque[tuple[float, int, int]] = deque([(clock(), 0, 0)], maxlen=LOOKS + 1)
        self._not_before = -math.inf
        self.reserve: int = 0
        """How many objects are to rest, as of the last look."""
        restart_in_child(self)

    def beat(self) -> None:
        """Look, and have built what is missing."""
        count = self.wanted()
        if count:
            self._not_before = math.inf  # one at a time, also where the thread begins late
            try:
                run_apart(partial(self.build, count), f"growing pool {self._pool.name!r}")
            except RuntimeError:  # there are no threads to be had
                self._not_before = self._clock() + self._PAUSE
                raise

    def wanted(self) -> int:
        """Return how many objects to build now."""
        idle, in_use, leased, _ = self._pool._counts()
        self.reserve = self._growth.reserve(Usage(idle, in_use, *self._rates(leased, leased - in_use)))
        missing = self.reserve - idle
        if missing <= 0 or self._clock() < self._not_before:
            return 0
        return self._growth.step.count(missing, idle + in_use)

    def build(self, count: int) -> None:
        """Build `count` objects. Raises what the factory raises, and wants none for a while then."""
        pause = self._PAUSE
        try:
            self._pool._build_ahead(count)
            pause = 0
        finally:
            self._not_before = self._clock() + pause

    def _rates(self, leased: int, returned: int) -> tuple[float, float]:
        now = self._clock()
        self._seen.append((now, leased, returned))
        then, leased_then, returned_then = self._seen[0]
        seconds = max(now - then, LOOKS * self._growth.period)  # the first looks see less than that
        return (leased - leased_then) / seconds, (returned - returned_then) / seconds

    def _after_fork(self) -> None:
        self._not_before = -math.inf  # whatever was building goes on in the parent
