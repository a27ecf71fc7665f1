"""The last minutes of a process's pools, for whoever comes to look when something has already happened."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from poolware._core.options import positive
from poolware.observe.snapshot import PoolSnapshot

__all__ = ["History"]

_POINTS = 60
_SERIES = (
    ("gauges", ("in_use", "idle", "idle_bytes", "quarantined", "waiting")),
    ("counters", ("acquired", "hits", "misses", "waits", "timeouts", "escaped")),
)


class History:
    """Keeps a point of each pool every `seconds` / 60.

    Args:
        seconds: how far it goes back.
    """

    def __init__(self, seconds: float = 300.0) -> None:
        self.step: float = positive("seconds", seconds) / _POINTS
        self._points: deque[tuple[float, dict[str, dict[str, float]]]] = deque(maxlen=_POINTS)

    def add(self, at: float, snapshots: Iterable[PoolSnapshot]) -> None:
        """Keep what was seen `at` this time, in seconds, unless the last point is more recent than a step."""
        # A beat is never quite on time, and a clock may be set back.
        if not self._points or abs(at - self._points[-1][0]) >= 0.9 * self.step:
            self._points.append((at, {snapshot.pool: _point(snapshot) for snapshot in snapshots}))

    def clear(self) -> None:
        """Forget everything."""
        self._points.clear()

    def as_dict(self) -> dict[str, Any]:
        """Return the times, and of each pool each figure at these times: None where the pool did not exist."""
        points = list(self._points)
        names: dict[str, dict[str, float]] = {}
        for _, pools in points:
            names |= pools
        return {
            "times": [round(at, 3) for at, _ in points],
            "pools": {
                pool: {figure: [pools.get(pool, {}).get(figure) for _, pools in points] for figure in figures}
                for pool, figures in names.items()
            },
        }


def _point(snapshot: PoolSnapshot) -> dict[str, float]:
    return {
        name: getattr(snapshot, group)[name]
        for group, names in _SERIES
        for name in names
        if name in getattr(snapshot, group)
    }
