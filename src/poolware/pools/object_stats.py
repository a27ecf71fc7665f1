"""What an object pool has done and holds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PoolStats"]


@dataclass(frozen=True, slots=True)
class PoolStats:
    """What a pool has done and holds. Exact whenever no other thread is inside the pool.

    ``acquired == released + in_use + lost``, ``acquired == hits + misses`` and
    ``created == idle + in_use + quarantined + destroyed``.
    """

    name: str
    idle: int
    """Resting, ready to be acquired."""
    in_use: int
    """Acquired and not yet released."""
    quarantined: int
    """Released while somebody still held them."""
    acquired: int
    released: int
    hits: int
    """Acquisitions served with a reused object."""
    misses: int
    """Acquisitions for which an object was built."""
    created: int
    destroyed: int
    """Objects the pool has let go of, for whatever reason."""
    dropped: int
    """Released but not kept: the pool was full, or reuse is off."""
    escaped: int
    """Let go because the quarantine was full."""
    expired: int
    """Let go because of the idle timeout."""
    lost: int
    """Never released, and no longer held by anybody: taken back when noticed."""
    refused: int
    """Releases that raised: a second one, or of a foreign object."""
    reset_errors: int
    """Resets that raised."""
    validation_failures: int
    local_hits: int
    """Hits that a thread found in its own cache; 0 with every store but ``thread``."""

    @property
    def hit_rate(self) -> float:
        """The share of the acquisitions that was served with a reused object, between 0 and 1; 1 before the first."""
        return self.hits / self.acquired if self.acquired else 1.0
