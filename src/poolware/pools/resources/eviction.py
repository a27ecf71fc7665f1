"""When to let go of a resource that rests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["AllOf", "AnyOf", "Eviction", "IdleTimeout", "LeastRecentlyUsed", "MaxAge", "Resting"]


@dataclass(frozen=True, slots=True)
class Resting:
    """What a policy is told of a resource that rests."""

    age: float
    """Seconds since it was made."""
    idle: float
    """Seconds since it was last used."""
    rank: int
    """How many resting ones were used more recently."""
    size: int
    """How many resources the pool has, those in use included."""


Eviction = Callable[[Resting], bool]
"""Says whether a resource is to go."""


@dataclass(frozen=True, slots=True)
class IdleTimeout:
    """Lets go of what nobody has used for `seconds`."""

    seconds: float

    def __call__(self, resting: Resting) -> bool:
        return resting.idle >= self.seconds


@dataclass(frozen=True, slots=True)
class MaxAge:
    """Lets go of what was made `seconds` ago."""

    seconds: float

    def __call__(self, resting: Resting) -> bool:
        return resting.age >= self.seconds


@dataclass(frozen=True, slots=True)
class LeastRecentlyUsed:
    """Keeps `above`, a soft maximum, of what rests: those used most recently."""

    above: int

    def __call__(self, resting: Resting) -> bool:
        return resting.rank >= self.above


class AllOf:
    """Lets go of what all of `policies` want to go."""

    def __init__(self, *policies: Eviction) -> None:
        self.policies: tuple[Eviction, ...] = policies

    def __call__(self, resting: Resting) -> bool:
        return all(policy(resting) for policy in self.policies)


class AnyOf:
    """Lets go of what any of `policies` wants to go."""

    def __init__(self, *policies: Eviction) -> None:
        self.policies: tuple[Eviction, ...] = policies

    def __call__(self, resting: Resting) -> bool:
        return any(policy(resting) for policy in self.policies)
