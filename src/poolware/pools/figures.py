"""What the statistics of all kinds of pools have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from poolware._core.histogram import Times

__all__ = ["Figures", "Times", "since"]

_NOW = frozenset({"min_size", "max_size", "idle", "idle_bytes", "in_use", "busy", "creating", "quarantined", "waiting"})
"""Figures that say how things are; the others only ever go up."""

S = TypeVar("S", bound="Figures")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What every pool tells, and what follows from it."""

    name: str
    idle: int
    """At rest, ready to be acquired."""
    in_use: int
    """Acquired and not yet released."""
    acquired: int
    released: int
    hits: int
    """Served with what was at rest: allocations saved."""
    misses: int
    """Not served with what was at rest."""
    hold: Times
    """For how long things were in use; of those that came back."""

    @property
    def hit_rate(self) -> float:
        """The share of hits, between 0 and 1; 1 before the first acquisition."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 1.0

    @property
    def miss_rate(self) -> float:
        """The share of misses, between 0 and 1; 0 before the first acquisition."""
        return 1 - self.hit_rate


def since(now: S, before: S | None, **period: Any) -> S:
    """Return what has been counted between two looks at the same pool, and how it is now.

    `period` has what differences do not tell, such as the longest time and the peak of that period.
    """
    if before is None:
        return replace(now, **period)
    values = ((field.name, getattr(now, field.name), getattr(before, field.name)) for field in fields(now))
    counted = {
        name: _minus(new, old) for name, new, old in values if name not in _NOW and isinstance(new, int | Mapping)
    }
    return replace(now, **(counted | period))


def _minus(new: Any, old: Any) -> Any:
    if isinstance(new, Mapping):
        return {key: count - old.get(key, 0) for key, count in new.items() if count > old.get(key, 0)}
    return new - old
