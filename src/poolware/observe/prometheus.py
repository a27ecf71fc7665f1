"""Prometheus, through prometheus-client: ``pip install poolware[prometheus]``.

What pools count is added to plain counters now and then, never while somebody acquires or releases. Plain metrics also
work in prometheus-client's multiprocess mode, where custom collectors vanish (H36); labels are the pool's name, its
kind, and causes out of a fixed list (H37).
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Sequence

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from poolware._core.histogram import WAIT_BOUNDS
from poolware.observe.metrics import COUNTERS, GAUGES, LIMITS
from poolware.observe.snapshot import PoolSnapshot
from poolware.pools.forks import restart_in_child

__all__ = ["exporter"]

_LABELS = ("pool", "kind")


class _WaitHistogram(Histogram):
    """A histogram to which what somebody else has classified can be added; ``observe`` takes one value at a time."""

    def add(self, counts: Sequence[float], seconds: float) -> None:
        """Add so many to each bucket, and `seconds` to their sum."""
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)
        self._sum.inc(seconds)


class PrometheusExporter:
    """Passes on what was seen of this process's pools. Call it with the snapshots, from any thread.

    Counters get what has been added since the last call: exactly what the pools have counted, whoever asks how often.

    Args:
        registry: where the metrics are registered.

    Raises:
        ValueError: the registry has them already.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._gauges: dict[str, Gauge] = {
            metric.field: Gauge(
                f"poolware_{metric.name}",
                metric.help,
                _LABELS,
                registry=registry,
                multiprocess_mode="livemax" if metric.together == "max" else "livesum",
            )
            for metric in (*LIMITS, *GAUGES)
        }
        self._counters: dict[str, Counter] = {
            metric.field: Counter(f"poolware_{metric.name}", metric.help, _LABELS, registry=registry)
            for metric in COUNTERS
        }
        self._destructions = Counter(
            "poolware_destructions", "Resources let go of, by cause.", (*_LABELS, "cause"), registry=registry
        )
        self._waits = _WaitHistogram(
            "poolware_acquire_wait_seconds",
            "How long acquisitions waited; those served at once are in the first bucket.",
            _LABELS,
            registry=registry,
            buckets=WAIT_BOUNDS,
        )
        self._lock = threading.RLock()
        self._told: dict[tuple[int, str], float] = {}
        self._shown: dict[tuple[str, str], PoolSnapshot] = {}
        restart_in_child(self)

    def __call__(self, snapshots: Iterable[PoolSnapshot]) -> None:
        """Set gauges, and add to counters what is new."""
        with self._lock:
            gone, self._shown = self._shown, {}
            for snapshot in snapshots:
                labels = (snapshot.pool, snapshot.kind)
                self._shown[labels] = snapshot
                gone.pop(labels, None)
                self._export(snapshot, labels)
            numbers = {snapshot.number for snapshot in self._shown.values()}
            self._told = {key: told for key, told in self._told.items() if key[0] in numbers}
            for labels, snapshot in gone.items():  # in multiprocess mode nothing can be removed
                for field in (*snapshot.limits, *snapshot.gauges):
                    self._gauges[field].labels(*labels).set(0)

    def _export(self, snapshot: PoolSnapshot, labels: tuple[str, str]) -> None:
        for field, figure in (*snapshot.limits.items(), *snapshot.gauges.items()):
            self._gauges[field].labels(*labels).set(figure)
        for field, total in snapshot.counters.items():
            self._counters[field].labels(*labels).inc(self._new(snapshot, field, total))
        for cause, count in snapshot.destroyed.items():
            self._destructions.labels(*labels, cause).inc(self._new(snapshot, f"destroyed {cause}", count))
        if snapshot.wait is not None:
            counts = [self._new(snapshot, f"wait {place}", count) for place, count in enumerate(snapshot.wait.counts)]
            self._waits.labels(*labels).add(counts, self._new(snapshot, "wait sum", snapshot.wait.sum))

    def _new(self, snapshot: PoolSnapshot, what: str, total: float) -> float:
        """Return by how much `total` exceeds all that was told before.

        A pool that is looked at in the middle of an acquisition may count it and then, if nothing comes of it, no more.
        What was told too much is not told again, so that the sum is right as soon as the pool rests.
        """
        key = snapshot.number, what
        told = self._told.get(key, 0)
        self._told[key] = max(told, total)
        return max(0, total - told)

    def _after_fork(self) -> None:
        self._lock = threading.RLock()
        self._told.clear()
        self._shown.clear()


_own_lock = threading.RLock()


def exporter() -> PrometheusExporter:
    """Return the one whose metrics are in prometheus-client's own registry."""
    with _own_lock:  # two first scrapes in the same moment
        return _own()


@functools.cache
def _own() -> PrometheusExporter:
    return PrometheusExporter()
