"""Little's law: how many objects are in use at once."""

from __future__ import annotations

from dataclasses import dataclass

from poolware.errors import BadOption
from poolware.sizing.checks import number, up

__all__ = ["LARGEST", "PoolSize", "in_use", "pool_size"]

LARGEST = 1_000_000
"""Objects in use at once beyond which a figure is taken for a slip of the pen."""


@dataclass(frozen=True, slots=True)
class PoolSize:
    """How large a pool should be."""

    in_use: float
    """Objects in use at once, on average."""
    minimum: int
    """Keep so many, also when nothing happens."""
    initial: int
    """Build so many at the start: half way between the two."""
    maximum: int
    """Never have more."""


def in_use(rate: float, hold_s: float) -> float:
    """Return how many objects are in use at once on average: ``L = λ W``, whatever the distributions.

    J. D. C. Little, "A Proof for the Queuing Formula: L = λW", Operations Research 9 (3), 1961.

    Args:
        rate: acquisitions per second.
        hold_s: seconds for which each of them keeps its object, on average.

    Raises:
        BadOption: an argument is not above 0, or they make more than a million.
    """
    load = number("rate", rate, above=0) * number("hold_s", hold_s, above=0)
    if load > LARGEST:
        msg = f"rate={rate:g} a second held for hold_s={hold_s:g} seconds: {load:g} at once; it takes up to {LARGEST:,}"
        raise BadOption(msg)
    return load


def pool_size(rate: float, hold_s: float, *, peak: float = 1.5, idle: float = 0.5) -> PoolSize:
    """Return minimum, initial and maximum size of a pool for this load; each rounded up, and at least 1.

        >>> pool_size(500, 0.020, peak=2.0, idle=0.5)
        PoolSize(in_use=10.0, minimum=5, initial=13, maximum=20)

    Args:
        rate: acquisitions per second.
        hold_s: seconds for which each of them keeps its object, on average.
        peak: the load at the busiest time, as a multiple of the average.
        idle: the share of the average to keep ready while little happens.

    Raises:
        BadOption: an argument has a value that it does not take.
    """
    load = in_use(rate, hold_s)
    number("peak", peak, low=1, high=1000)
    number("idle", idle, low=0, high=1)
    minimum, maximum = max(1, up(load * idle)), max(1, up(load * peak))
    return PoolSize(in_use=load, minimum=minimum, initial=up((minimum + maximum) / 2), maximum=maximum)
