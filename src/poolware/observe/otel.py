"""OpenTelemetry: ``pip install poolware[opentelemetry]``.

The instruments are those of the semantic conventions for database connection pools, with ``poolware`` in place of
``db.client.connection``, and a few more in the same style. They are observed when they are read: nothing is counted
while somebody acquires or releases.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation, get_meter

from poolware.observe.snapshot import PoolSnapshot, take

__all__ = ["instrument"]

_NAME, _KIND, _STATE = "poolware.pool.name", "poolware.pool.kind", "poolware.state"
_FRESH = 0.1
"""Seconds for which one look serves all instruments: they are read one after the other."""

_UP_DOWN = (
    ("idle.max", "{object}", "The most that may rest.", "limits", "max_idle"),
    ("idle.min", "{object}", "The least that is kept.", "limits", "min_size"),
    ("max", "{object}", "The most that may exist.", "limits", "max_size"),
    ("pending_requests", "{request}", "Callers that wait.", "gauges", "waiting"),
    ("idle.size", "By", "Bytes that rest.", "gauges", "idle_bytes"),
)
_COUNTERS = (
    ("timeouts", "{timeout}", "Callers that gave up after their timeout.", "timeouts"),
    ("acquires", "{acquire}", "Acquisitions.", "acquired"),
    ("hits", "{acquire}", "Acquisitions and growths served with what was reused.", "hits"),
    ("misses", "{acquire}", "Acquisitions and growths for which something was built.", "misses"),
    ("creations", "{object}", "Objects, memory or resources made.", "created"),
    ("escapes", "{object}", "Let go, still held, because the quarantine was full.", "escaped"),
    ("wait_time", "s", "Seconds that acquisitions have waited.", "wait_total"),
    ("use_time", "s", "Seconds for which what came back was in use.", "hold_total"),
)
_STATES = {"idle": "idle", "used": "in_use", "quarantined": "quarantined"}

_Observe = Callable[[CallbackOptions], Iterable[Observation]]


def instrument(meter_provider: MeterProvider | None = None) -> None:
    """Have every pool of this process observed; to be called once.

    Args:
        meter_provider: the application's own by default.
    """
    meter = get_meter("poolware", meter_provider=meter_provider)
    look = _Look()
    meter.create_observable_up_down_counter(
        "poolware.count", [look.states], unit="{object}", description="How many are in each state."
    )
    for name, unit, says, group, field in _UP_DOWN:
        meter.create_observable_up_down_counter(
            f"poolware.{name}", [look.at(group, field)], unit=unit, description=says
        )
    for name, unit, says, field in _COUNTERS:
        meter.create_observable_counter(f"poolware.{name}", [look.at("counters", field)], unit=unit, description=says)


class _Look:
    """What all instruments see in one collection."""

    def __init__(self) -> None:
        self._seen: tuple[float, Sequence[PoolSnapshot]] = (0.0, ())

    def at(self, group: str, field: str) -> _Observe:
        """Return a callback that tells one figure of every pool that has it."""

        def observe(_options: CallbackOptions) -> Iterable[Observation]:
            for snapshot in self._snapshots():
                figures = getattr(snapshot, group)
                if field in figures:
                    yield Observation(figures[field], _attributes(snapshot))

        return observe

    def states(self, _options: CallbackOptions) -> Iterable[Observation]:
        """Tell how many objects of each pool are in each state."""
        for snapshot in self._snapshots():
            for state, field in _STATES.items():
                if field in snapshot.gauges:
                    yield Observation(snapshot.gauges[field], _attributes(snapshot) | {_STATE: state})

    def _snapshots(self) -> Sequence[PoolSnapshot]:
        at, seen = self._seen
        if not seen or time.monotonic() - at > _FRESH:
            seen = take()
            self._seen = time.monotonic(), seen
        return seen


def _attributes(snapshot: PoolSnapshot) -> dict[str, str]:
    return {_NAME: snapshot.pool, _KIND: snapshot.kind}
