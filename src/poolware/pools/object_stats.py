"""What an object pool has done and holds."""

from __future__ import annotations

from dataclasses import dataclass

from poolware.pools.figures import Figures

__all__ = ["PoolStats"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStats(Figures):
    """What a pool has done and holds. Exact whenever no other thread is inside the pool.

    ``acquired == released + in_use + lost``, ``acquired == hits + misses`` and
    ``created == idle + in_use + quarantined + destroyed``. Of the `hold` times there are those that leak detection
    takes, in seconds: none, one in 128, or all.
    """

    quarantined: int
    """Released while somebody still held them."""
    peak_in_use: int
    """The most in use at once, as seen at misses and at looks: exact unless objects are built ahead."""
    created: int
    destroyed: int
    """Objects the pool has let go of, for whatever reason."""
    dropped: int
    """Released but not kept: the pool was full, or reuse is off."""
    escaped: int
    """Let go because the quarantine was full."""
    exhausted: int
    """Acquisitions that found ``max_idle`` objects in use, and got one more, which is not kept."""
    expired: int
    """Let go because of the idle timeout."""
    held_too_long: int
    """Reports because of ``hold_limit``."""
    lost: int
    """Never released, and no longer held by anybody: taken back when noticed."""
    refused: int
    """Releases that raised: a second one, or of a foreign object."""
    reset_errors: int
    """Resets that raised."""
    validation_failures: int
    local_hits: int
    """Hits that a thread found in its own cache; 0 with every store but ``thread``."""
