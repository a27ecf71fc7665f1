"""How long those waited who got something, in classes that a histogram is drawn from."""

from __future__ import annotations

from bisect import bisect_left

__all__ = ["WAIT_BOUNDS", "WaitTimes"]

WAIT_BOUNDS: tuple[float, ...] = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the classes in seconds; what is longer than the last is in one class more."""


class WaitTimes:
    """Counts of each class. Whoever adds holds the lock of what is counted."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: list[int] = [0] * (len(WAIT_BOUNDS) + 1)

    def add(self, seconds: float) -> None:
        """Count one that took so long."""
        self.counts[bisect_left(WAIT_BOUNDS, seconds)] += 1
