"""One view of every pool of a process: plain figures, frozen, ready for JSON."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from poolware._core.histogram import WAIT_BOUNDS
from poolware._core.log import logger
from poolware.observe.metrics import BOUNDS, COUNTERS, GAUGES, KINDS, Metric, metric_of
from poolware.pools.forks import all_pools, restart_in_child

__all__ = ["Histogram", "PoolSnapshot", "merge", "take"]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often something took how long."""

    bounds: tuple[float, ...]
    """Upper bounds in seconds."""
    counts: tuple[int, ...]
    """How many were within each bound and above the one before; one more for those above the last."""
    sum: float
    """Seconds of all together."""

    def quantile(self, share: float) -> float | None:
        """Return the bound, in seconds, that `share` of all stayed within; None without any, infinity above the last.

        Rounded up to a bound, and so never less than what was seen.
        """
        wanted = share * sum(self.counts)
        if not wanted:
            return None
        reached = itertools.accumulate(self.counts)
        bounds = (*self.bounds, float("inf"))
        return next((bound for bound, count in zip(bounds, reached, strict=True) if count >= wanted), bounds[-1])

    def minus(self, earlier: Histogram) -> Histogram:
        """Return what has come since."""
        counts = tuple(max(0, now - then) for now, then in zip(self.counts, earlier.counts, strict=True))
        return Histogram(self.bounds, counts, max(0.0, self.sum - earlier.sum))


@dataclass(frozen=True, slots=True)
class PoolSnapshot:
    """One pool at one moment, whatever its kind. A figure that its kind has not got is not there."""

    pool: str
    """Its name; the second pool of that name in a process is ``name (2)``."""
    kind: str
    """``object``, ``buffer`` or ``resource``."""
    limits: Mapping[str, float] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)
    counters: Mapping[str, float] = field(default_factory=dict)
    destroyed: Mapping[str, int] = field(default_factory=dict)
    """Resources let go of, by cause."""
    wait: Histogram | None = None
    """How long acquisitions waited; those served at once are within the first bound."""
    processes: int = field(default=1, kw_only=True)
    """Of how many processes these are the figures."""
    number: int = field(default=0, kw_only=True)
    """Tells pools apart that had one name after each other in this process."""

    @property
    def size(self) -> float:
        """How many exist."""
        return sum(self.gauges.get(part, 0) for part in ("in_use", "idle", "quarantined", "busy"))

    @property
    def utilisation(self) -> float | None:
        """The share of `max_size` that is in use; None without such a bound."""
        most = self.limits.get("max_size")
        return self.gauges["in_use"] / most if most else None

    @property
    def miss_rate(self) -> float | None:
        """The share of acquisitions and growths for which something was built; None before the first."""
        asked = self.counters.get("hits", 0) + self.counters.get("misses", 0)
        return self.counters["misses"] / asked if asked else None

    @property
    def hit_rate(self) -> float | None:
        """The share of acquisitions and growths served with what was reused; None before the first."""
        return None if self.miss_rate is None else 1 - self.miss_rate

    def as_dict(self) -> dict[str, Any]:
        """Return all of it in the form that docs/observability.md describes, ready for JSON."""
        return {
            "pool": self.pool,
            "kind": self.kind,
            "processes": self.processes,
            "limits": dict(self.limits),
            "gauges": dict(self.gauges),
            "counters": dict(self.counters),
            "destroyed": dict(self.destroyed),
            "wait": self.wait and {"bounds": self.wait.bounds, "counts": self.wait.counts, "sum": self.wait.sum},
            "derived": {
                "size": self.size,
                "utilisation": self.utilisation,
                "hit_rate": self.hit_rate,
                "miss_rate": self.miss_rate,
            },
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PoolSnapshot:
        """Read what `as_dict` has written."""
        wait = data["wait"]
        return cls(
            data["pool"],
            data["kind"],
            data["limits"],
            data["gauges"],
            data["counters"],
            data["destroyed"],
            wait and Histogram(tuple(wait["bounds"]), tuple(wait["counts"]), wait["sum"]),
            processes=data["processes"],
        )


def take() -> list[PoolSnapshot]:
    """Look at every pool of this process, the oldest first. One that cannot tell is logged and left out."""
    seen = []
    for pool in all_pools():
        kind = next((kind for cls, kind in KINDS.items() if isinstance(pool, cls)), None)
        if kind is None:
            continue
        try:
            seen.append(_of(pool, kind))
        except Exception:
            logger.exception("the statistics of %r could not be read", pool.name)
    return seen


def merge(snapshots: Iterable[PoolSnapshot]) -> list[PoolSnapshot]:
    """Put together what several processes say of pools that have the same name and kind, the first seen first."""
    groups: dict[tuple[str, str], list[PoolSnapshot]] = {}
    for snapshot in snapshots:
        groups.setdefault((snapshot.pool, snapshot.kind), []).append(snapshot)
    return [_together(name, kind, group) for (name, kind), group in groups.items()]


class _Labels:
    """What each pool is called for as long as it lives, unlike any other pool of this process."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Any, tuple[str, int]] = WeakKeyDictionary()
        self._numbers = itertools.count(1)
        self._after_fork()
        restart_in_child(self)

    def of(self, pool: Any, name: str) -> tuple[str, int]:
        """Return the label of `pool`, and a number that no other pool has had."""
        with self._lock:
            if pool not in self._known:
                taken = {label for label, _ in self._known.values()}
                name = str(name).encode(errors="replace").decode()  # it leaves the process as UTF-8
                candidates = (name if place == 1 else f"{name} ({place})" for place in itertools.count(1))
                label = next(candidate for candidate in candidates if candidate not in taken)
                self._known[pool] = label, next(self._numbers)
            return self._known[pool]

    def _after_fork(self) -> None:
        self._lock = threading.RLock()


_labels = _Labels()


def _of(pool: Any, kind: str) -> PoolSnapshot:
    stats = pool.get_stats()
    destroyed = getattr(stats, "destroyed", None)
    label, number = _labels.of(pool, stats.name)
    return PoolSnapshot(
        label,
        kind,
        {limit: getattr(stats if kind == "resource" else pool, limit) for limit in BOUNDS[kind]},
        _figures(GAUGES, stats),
        _figures(COUNTERS, stats),
        dict(destroyed) if isinstance(destroyed, Mapping) else {},
        _waits(stats) if kind == "resource" else None,
        number=number,
    )


def _figures(metrics: Iterable[Metric], stats: Any) -> dict[str, float]:
    times = _times(stats) if hasattr(stats, "wait") else {}
    found = ((metric.field, times.get(metric.field, getattr(stats, metric.field, None))) for metric in metrics)
    return {name: figure for name, figure in found if isinstance(figure, int | float)}


def _times(stats: Any) -> dict[str, float]:
    wait, hold = stats.wait, stats.hold
    return {
        "waits": wait.count,
        "wait_total": wait.total,
        "wait_max": wait.max,
        "hold_total": hold.total,
        "hold_max": hold.max,
    }


def _waits(stats: Any) -> Histogram:
    wait = stats.wait
    first, *others = wait.counts
    return Histogram(WAIT_BOUNDS, (first + stats.acquired - wait.count, *others), wait.total)


def _together(name: str, kind: str, group: Sequence[PoolSnapshot]) -> PoolSnapshot:
    return PoolSnapshot(
        name,
        kind,
        _combined([one.limits for one in group]),
        _combined([one.gauges for one in group]),
        _combined([one.counters for one in group]),
        _summed([one.destroyed for one in group]),
        _one_histogram([one.wait for one in group if one.wait is not None]),
        processes=sum(one.processes for one in group),
    )


def _combined(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: _one([part[name] for part in parts if name in part], metric_of(name)) for name in names}


def _one(figures: Sequence[float], metric: Metric) -> float:
    return max(figures) if metric.together == "max" else sum(figures)


def _summed(parts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: sum(part.get(name, 0) for part in parts) for name in names}


def _one_histogram(parts: Sequence[Histogram]) -> Histogram | None:
    if not parts:
        return None
    counts = tuple(map(sum, zip(*(part.counts for part in parts), strict=True)))
    return Histogram(parts[0].bounds, counts, sum(part.sum for part in parts))
