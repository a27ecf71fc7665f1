"""What a resource pool has done and holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ResourcePoolStats"]


@dataclass(frozen=True, slots=True)
class ResourcePoolStats:
    """What a resource pool has done and holds, at one moment.

    ``acquired == released + in_use + lost`` and ``created == idle + in_use + busy + sum(destroyed.values())``.
    Times are seconds.
    """

    name: str
    min_size: int
    max_size: int
    idle: int
    """Resting, ready to be acquired."""
    in_use: int
    """Acquired and not yet released."""
    busy: int
    """Being reset, validated or kept alive."""
    creating: int
    """Being made: each takes its place within ``max_size`` already."""
    waiting: int
    """Callers that wait for one."""
    peak_in_use: int
    acquired: int
    released: int
    lost: int
    """Never released, and no longer held by anybody: discarded when noticed."""
    refused: int
    """Releases that raised: a second one, or of a foreign object."""
    waits: int
    """Acquisitions that had to wait."""
    wait_total: float
    wait_max: float
    wait_counts: tuple[int, ...]
    """Of the acquisitions that had to wait, how many waited up to each of `WAIT_BOUNDS`, and longer than the last."""
    hold_total: float
    """For how long resources were in use; of those that came back."""
    hold_max: float
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
