"""What alerts look at: each signal as a function of what was seen of a pool, and as the same in PromQL."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from poolware.observe.snapshot import Histogram, PoolSnapshot

__all__ = ["SIGNALS", "Series", "Signal"]

_KEPT = 660.0
"""Seconds: the longest time that a signal looks back, and a minute more."""
_STEP = 10.0
"""Seconds between two samples that are kept."""
_BUSY = 1.0
"""Acquisitions a second from which on rates say anything."""


class Series:
    """What was seen of one pool: its latest snapshot, and one of every ten seconds before."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, PoolSnapshot]] = deque()

    def add(self, at: float, snapshot: PoolSnapshot) -> None:
        """Add what was seen `at` this time, in seconds. Another pool of the same name begins anew."""
        samples = self._samples
        if samples and snapshot.number != self.now.number:
            samples.clear()
        if len(samples) > 1 and samples[-1][0] - samples[-2][0] < _STEP:
            samples.pop()
        samples.append((at, snapshot))
        while at - samples[0][0] > _KEPT:
            samples.popleft()

    @property
    def now(self) -> PoolSnapshot:
        """The latest snapshot."""
        return self._samples[-1][1]

    def increase(self, field: str, seconds: float, ago: float = 0.0) -> float:
        """Return by how much a counter has grown within so many seconds, up to `ago` seconds before now."""
        until, since = self._at(ago)[1], self._at(ago + seconds)[1]
        return _count(until, field) - _count(since, field)

    def rate(self, field: str, seconds: float) -> float:
        """Return by how much a counter grows a second, on average of the last `seconds`, or since there is a pool."""
        elapsed = self._at(0)[0] - self._at(seconds)[0]
        return self.increase(field, seconds) / elapsed if elapsed > 0 else 0.0

    def waits(self, seconds: float) -> Histogram | None:
        """Return how long acquisitions of the last `seconds` have waited; None for a pool that never waits."""
        now, then = self.now.wait, self._at(seconds)[1].wait
        return None if now is None or then is None else now.minus(then)

    def _at(self, ago: float) -> tuple[float, PoolSnapshot]:
        """The latest sample that is so old, or the oldest."""
        moment = self._samples[-1][0] - ago
        return next((sample for sample in reversed(self._samples) if sample[0] <= moment), self._samples[0])


@dataclass(frozen=True, slots=True)
class Signal:
    """One figure of a pool that may be in order or not."""

    says: str
    value: Callable[[Series], float | None]
    """What it is now; None where it says nothing, and so is in order."""
    promql: str
    """The same, of Prometheus."""
    unit: str = ""


def _count(snapshot: PoolSnapshot, field: str) -> float:
    if field == "destroyed":
        return sum(snapshot.destroyed.values())
    return snapshot.counters.get(field, 0)


def _utilisation(series: Series) -> float | None:
    return series.now.utilisation


def _idle(series: Series) -> float | None:
    gauges = series.now.gauges
    return gauges["idle"] if series.now.kind == "resource" and gauges["in_use"] else None


def _waiting(series: Series) -> float | None:
    return series.now.gauges.get("waiting")


def _exhaustion(series: Series) -> float | None:
    return series.rate("waits", 60) + series.rate("turned_away", 60)


def _wait_p99(series: Series) -> float | None:
    waits = series.waits(300)
    return None if waits is None else waits.quantile(0.99)


def _timeouts(series: Series) -> float | None:
    return series.increase("timeouts", 60)


def _miss_rate(series: Series, seconds: float) -> float | None:
    hits, misses = series.increase("hits", seconds), series.increase("misses", seconds)
    return misses / (hits + misses) if hits + misses > 0 and series.rate("acquired", seconds) >= _BUSY else None


def _hit_rate_5m(series: Series) -> float | None:
    misses = _miss_rate(series, 300)
    return None if misses is None else 1 - misses


def _miss_rate_1m(series: Series) -> float | None:
    return _miss_rate(series, 60)


def _swing(series: Series) -> float | None:
    lately, before = series.rate("acquired", 60), series.rate("acquired", 600)
    if before < _BUSY:
        return None
    return max(lately / before, before / lately) if lately > 0 else float("inf")


def _churn(series: Series) -> float | None:
    return min(series.rate("created", 300), series.rate("destroyed", 300) + series.rate("dropped", 300))


def _validation_rise(series: Series) -> float | None:
    return series.increase("validation_failures", 300) - series.increase("validation_failures", 300, ago=300)


def _escapes(series: Series) -> float | None:
    return series.increase("escaped", 300)


def _size(series: Series) -> float | None:
    return series.now.size


def _bytes(series: Series) -> float | None:
    return series.now.gauges.get("idle_bytes")


_ASKED_5M = "(rate(poolware_hits_total[5m]) + rate(poolware_misses_total[5m]))"
_ASKED_1M = "(rate(poolware_hits_total[1m]) + rate(poolware_misses_total[1m]))"
_LET_GO = "(sum without (cause) (rate(poolware_destructions_total[5m])) or rate(poolware_drops_total[5m]))"
_MADE = "rate(poolware_creations_total[5m])"
_LATELY, _BEFORE = "rate(poolware_acquires_total[1m])", "rate(poolware_acquires_total[10m])"

SIGNALS: dict[str, Signal] = {
    "utilisation": Signal(
        "the share of max_size that is in use", _utilisation, "poolware_pool_in_use / poolware_pool_max_size"
    ),
    "idle": Signal(
        "resting resources while others are in use",
        _idle,
        'poolware_pool_idle{kind="resource"} and poolware_pool_in_use > 0',
    ),
    "waiting": Signal("callers that wait", _waiting, "poolware_pool_waiting"),
    "exhaustion": Signal(
        "acquisitions a second that found nothing free, in the last minute",
        _exhaustion,
        "rate(poolware_waits_total[1m]) + rate(poolware_turned_away_total[1m])",
        "/s",
    ),
    "wait_p99": Signal(
        "the time within which 99 % of the acquisitions of the last five minutes were served",
        _wait_p99,
        "histogram_quantile(0.99, rate(poolware_acquire_wait_seconds_bucket[5m]))",
        " s",
    ),
    "timeouts": Signal("timeouts in the last minute", _timeouts, "increase(poolware_timeouts_total[1m])"),
    "hit_rate": Signal(
        "the share of acquisitions in the last five minutes that were served with what was reused",
        _hit_rate_5m,
        f"rate(poolware_hits_total[5m]) / {_ASKED_5M} and rate(poolware_acquires_total[5m]) >= {_BUSY:g}",
    ),
    "miss_rate": Signal(
        "the share of acquisitions in the last minute for which something was built",
        _miss_rate_1m,
        f"rate(poolware_misses_total[1m]) / {_ASKED_1M} and rate(poolware_acquires_total[1m]) >= {_BUSY:g}",
    ),
    "swing": Signal(
        "by which factor acquisitions of the last minute differ from those of the last ten",
        _swing,
        f"({_LATELY} / {_BEFORE} > 1 or {_BEFORE} / {_LATELY}) and {_BEFORE} >= {_BUSY:g}",
    ),
    "churn": Signal(
        "objects a second that are made while as many are let go of, in the last five minutes",
        _churn,
        f"{_MADE} < {_LET_GO} or {_LET_GO}",
        "/s",
    ),
    "validation_rise": Signal(
        "validations that failed in the last five minutes, above those in the five before",
        _validation_rise,
        "increase(poolware_validation_failures_total[5m]) - increase(poolware_validation_failures_total[5m] offset 5m)",
    ),
    "escapes": Signal("escapes in the last five minutes", _escapes, "increase(poolware_escapes_total[5m])"),
    "size": Signal(
        "objects that exist",
        _size,
        "poolware_pool_in_use + poolware_pool_idle + (poolware_pool_quarantined or poolware_pool_busy)",
    ),
    "bytes": Signal("bytes that rest", _bytes, "poolware_pool_idle_bytes", " bytes"),
}
