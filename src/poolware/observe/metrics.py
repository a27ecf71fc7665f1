"""What is told of pools, once: names, meanings, and how the figures of several processes become one.

Snapshots, Prometheus, OpenTelemetry and the documentation are made from these tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from poolware.pools.buffers import BufferPool
from poolware.pools.objects import ObjectPool
from poolware.pools.resources.pool import ResourcePool

__all__ = ["BOUNDS", "COUNTERS", "GAUGES", "KINDS", "LIMITS", "Metric", "metric_of"]

KINDS: dict[type, str] = {ObjectPool: "object", BufferPool: "buffer", ResourcePool: "resource"}
"""What a pool is called, by its class."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a pool."""

    field: str
    """What it is called in the pool's statistics, or on the pool, and in a snapshot."""
    name: str
    """What it is called in Prometheus, after ``poolware_``; a counter's name goes on with ``_total``."""
    help: str
    together: Literal["sum", "max"] = "sum"
    """What the figures of several processes make together."""


LIMITS = (
    Metric("min_size", "pool_min_size", "How many the pool keeps at the least."),
    Metric("max_size", "pool_max_size", "How many may exist."),
    Metric("max_idle", "pool_max_idle", "How many may rest; of a buffer pool, in each tier."),
    Metric("max_idle_bytes", "pool_max_idle_bytes", "How many bytes may rest."),
)
"""Bounds that somebody has set."""

BOUNDS: dict[str, tuple[str, ...]] = {
    "object": ("max_idle",),
    "buffer": ("max_idle", "max_idle_bytes"),
    "resource": ("min_size", "max_size"),
}
"""Which of them a pool of each kind has. Of all else it has what its statistics have."""

GAUGES = (
    Metric("in_use", "pool_in_use", "Acquired and not yet released."),
    Metric("idle", "pool_idle", "Resting, ready to be acquired."),
    Metric("idle_bytes", "pool_idle_bytes", "Bytes that rest."),
    Metric("quarantined", "pool_quarantined", "Released while somebody still held them."),
    Metric("busy", "pool_busy", "Being reset, validated or kept alive."),
    Metric("creating", "pool_creating", "Being made."),
    Metric("waiting", "pool_waiting", "Callers that wait for one."),
    Metric("peak_in_use", "pool_peak_in_use", "The most that one process has had in use at once.", "max"),
    Metric("wait_max", "pool_longest_wait_seconds", "The longest that anybody has waited.", "max"),
    Metric("hold_max", "pool_longest_hold_seconds", "The longest that anything was in use, of what came back.", "max"),
)

COUNTERS = (
    Metric("acquired", "acquires", "Acquisitions."),
    Metric("released", "releases", "Releases."),
    Metric("hits", "hits", "Acquisitions, and growths of buffers, served with what was reused."),
    Metric("local_hits", "local_hits", "Hits that a thread found in its own cache."),
    Metric("misses", "misses", "Acquisitions, and growths of buffers, for which something was built."),
    Metric("exhausted", "exhaustions", "Acquisitions that found everything in use, and no place for one more."),
    Metric("created", "creations", "Objects, memory or resources made."),
    Metric("grown", "growths", "Moves of a buffer to a larger tier."),
    Metric("dropped", "drops", "Released but not kept: the pool was full, or reuse is off."),
    Metric("escaped", "escapes", "Let go, still held, because the quarantine was full."),
    Metric("bytes_saved", "saved_bytes", "Bytes that were reused and not allocated."),
    Metric("expired", "expirations", "Let go because of the idle timeout."),
    Metric("lost", "losses", "Never released, and no longer held by anybody."),
    Metric("refused", "refusals", "Releases that raised: a second one, or of something foreign."),
    Metric("waits", "waits", "Acquisitions that had to wait."),
    Metric("wait_total", "wait_seconds", "Seconds that acquisitions have waited."),
    Metric("hold_total", "hold_seconds", "Seconds for which what came back was in use."),
    Metric("held_too_long", "long_holds", "Uses that took longer than hold_limit."),
    Metric("timeouts", "timeouts", "Callers that gave up after their timeout."),
    Metric("turned_away", "turned_away", "Callers refused because max_waiting waited already."),
    Metric("creation_errors", "creation_errors", "Factories that raised."),
    Metric("reset_errors", "reset_errors", "Resets that raised."),
    Metric("validation_failures", "validation_failures", "Validations that said no, or raised."),
    Metric("keepalive_failures", "keepalive_failures", "Keepalives that raised."),
    Metric("destroy_errors", "destroy_errors", "Destructions that raised."),
)
"""What only ever goes up."""

_BY_FIELD = {metric.field: metric for metric in (*LIMITS, *GAUGES, *COUNTERS)}


def metric_of(field: str) -> Metric:
    """Return what is known of a figure. Raises `KeyError` for what is none."""
    return _BY_FIELD[field]
