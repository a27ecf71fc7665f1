"""What a resource pool has done and holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from poolware.pools.figures import Figures, Times

__all__ = ["ResourcePoolStats"]


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
