"""What an ObjectPool has done periodically, where its user asked for it: growing, shrinking, changing its size."""

from __future__ import annotations

from collections.abc import Callable

from poolware._core.options import positive, positive_or_none
from poolware.errors import BadOption
from poolware.pools.heartbeat import Beat, heartbeat
from poolware.pools.tending.growing import Grower
from poolware.pools.tending.growth import Growth, checked_step, when_empty
from poolware.pools.tending.idle_timeout import LOOKS, IdleTimeout
from poolware.pools.tending.sizes import LOOKS as LOOKS_AT_USE
from poolware.pools.tending.sizes import DynamicSizing, Sizer
from poolware.pools.tending.tended import Tended


class Tending:
    """The strategies of one pool, on the heartbeat. They end with the pool, which alone keeps them alive."""

    def __init__(self, growth: Growth, sizing: DynamicSizing | None, idle_timeout: float | None) -> None:
        if isinstance(growth, type) or not all(hasattr(growth, name) for name in ("reserve", "step", "period")):
            msg = f"growth={growth!r}: it takes when_empty, Watermark(…), LeaseRate(…), or what has the same methods"
            raise BadOption(msg)
        if growth is not when_empty:
            checked_step(growth.step)
            positive("period", growth.period)
        if sizing is not None and not isinstance(sizing, DynamicSizing):
            msg = f"sizing={sizing!r}: it takes DynamicSizing(…), or None"
            raise BadOption(msg)
        self._growth = growth
        self._sizing = sizing
        self._idle_timeout = positive_or_none("idle_timeout", idle_timeout)
        self._beats: list[Beat] = []
        self.grower: Grower | None = None
        self.timeout: IdleTimeout | None = None
        self.sizer: Sizer | None = None

    def begin(self, pool: Tended, *, prewarm: int, max_idle: int) -> None:
        """Look after `pool`, which has built `prewarm` objects and never keeps more than `max_idle`."""
        if self._growth is not when_empty:
            self.grower = Grower(self._growth, pool)
            self.every(self._growth.period, self.grower.beat)
        if self._idle_timeout is not None:
            self.timeout = IdleTimeout(pool, prewarm, self.grower)
            self.every(self._idle_timeout / LOOKS, self.timeout.beat)
        if self._sizing is not None:
            self.sizer = Sizer(self._sizing, pool, start=prewarm, maximum=max_idle)
            self.every(self._sizing.period / LOOKS_AT_USE, self.sizer.beat)

    def stop(self) -> None:
        """Look no more."""
        while self._beats:
            self._beats.pop().stop()

    def every(self, period: float, task: Callable[[], object]) -> None:
        """Run `task` every `period` seconds for as long as the pool is looked after."""
        self._beats.append(heartbeat.every(period, task))
