"""What a resource pool has done and holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from poolware.pools.figures import Figures, Times

if TYPE_CHECKING:
    from poolware.pools.resources.stock import Stock

__all__ = ["ResourcePoolStats", "stats_of"]

_COUNTS = (
    "lost",
    "refused",
    "misses",
    "exhausted",
    "held_too_long",
    "timeouts",
    "turned_away",
    "created",
    "creation_errors",
    "reset_errors",
    "validation_failures",
    "keepalive_failures",
    "destroy_errors",
)
"""What a stock counts by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePoolStats(Figures):
    """What a resource pool has done and holds, at one moment.

    ``acquired == released + in_use + lost == hits + misses``, ``released == hold.count`` and
    ``created == idle + in_use + busy + sum(destroyed.values())``. Times are seconds.
    """

    min_size: int
    max_size: int
    busy: int
    """Being reset, validated or kept alive."""
    creating: int
    """Being made: each takes its place within ``max_size`` already."""
    waiting: int
    """Callers that wait for one."""
    peak_in_use: int
    last_access: float | None
    """When something was last acquired, came back or was made, in seconds of ``time.monotonic``; None while empty."""
    lost: int
    """Never released, and no longer held by anybody: discarded when noticed."""
    refused: int
    """Releases that raised: a second one, or of a foreign object."""
    wait: Times
    """How long acquisitions waited that did: for somebody to give back, for a new resource, or for validation."""
    exhausted: int
    """Callers that found nothing at rest, and no place for one more."""
    held_too_long: int
    """Reports because of ``hold_limit``."""
    timeouts: int
    """Callers that gave up after their timeout."""
    turned_away: int
    """Callers that were refused because ``max_waiting`` waited already."""
    created: int
    creation_errors: int
    last_error: str
    """Why the latest creation failed; empty once one has succeeded again."""
    destroyed: Mapping[str, int]
    """Resources let go of, by cause."""
    reset_errors: int
    validation_failures: int
    keepalive_failures: int
    destroy_errors: int

    @property
    def utilisation(self) -> float:
        """The share of ``max_size`` that is in use; above 1 for a while after a `resize`."""
        return self.in_use / self.max_size

    @property
    def peak_utilisation(self) -> float:
        """The highest share of ``max_size`` that has been in use."""
        return self.peak_in_use / self.max_size

    @property
    def exhaustion_rate(self) -> float:
        """How many found the pool exhausted, for each acquisition; 0 before the first."""
        return self.exhausted / self.acquired if self.acquired else 0.0


def stats_of(stock: Stock) -> ResourcePoolStats:
    """Return what a pool has done and holds."""
    with stock.lock:
        counts, destroyed, idle = stock.counts.copy(), dict(stock.destroyed), len(stock.idle)
        records, creating, waiting = tuple(stock.records.values()), len(stock.creating), len(stock.queue)
        waited, held, peak = stock.before
        all_waited, all_held, peak = waited + stock.wait, held + stock.hold, max(peak, stock.peak)
        in_use = sum(record.waiter is None for record in tuple(stock.lent.values()))  # others are being handed over
        min_size, max_size, error = stock.min_size, stock.max_size, stock.last_error
    hold = all_held.times()
    acquired = hold.count + in_use + counts["lost"]
    return ResourcePoolStats(
        name=stock.settings.name,
        min_size=min_size,
        max_size=max_size,
        idle=idle,
        in_use=in_use,
        busy=len(records) - idle - in_use,
        creating=creating,
        waiting=waiting,
        peak_in_use=peak,
        last_access=max((record.since for record in records), default=None),
        acquired=acquired,
        released=hold.count,
        hits=acquired - counts["misses"],
        wait=all_waited.times(),
        hold=hold,
        last_error="" if error is None else repr(error),
        destroyed=destroyed,
        **{name: counts[name] for name in _COUNTS},
    )
