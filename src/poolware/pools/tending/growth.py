"""When a pool builds objects ahead of demand, and how many at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from poolware._core.options import positive, share, whole_number
from poolware.errors import BadOption

__all__ = ["Block", "Fixed", "Growth", "LeaseRate", "Step", "TinyStep", "Usage", "Watermark", "when_empty"]


LOOKS = 10
"""Over how many looks rates are averaged."""


class Usage(NamedTuple):
    """What a growth strategy is told at each look."""

    idle: int
    in_use: int
    leases: float
    """Acquisitions a second, over the last ten looks."""
    returns: float
    """Releases a second, over the last ten looks."""


class Step(Protocol):
    """How many objects are built at a time."""

    def count(self, missing: int, size: int, /) -> int:
        """Return how many to build where `missing` are wanted by a pool of `size` objects, resting and in use."""
        ...


class Growth(Protocol):
    """When to build ahead. `period` is the time between two looks in seconds."""

    @property
    def step(self) -> Step: ...

    @property
    def period(self) -> float: ...

    def reserve(self, usage: Usage, /) -> int:
        """Return how many objects are to rest now. What is missing is built, and the idle timeout leaves as many."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Builds `n` objects a look, however many are missing: what a look costs is known beforehand."""

    n: int

    def __post_init__(self) -> None:
        whole_number("n", self.n, at_least=1)

    def count(self, _missing: int, _size: int) -> int:
        """As `Step.count`."""
        return self.n


@dataclass(frozen=True, slots=True)
class TinyStep:
    """Builds what is missing, rounded up to a multiple of `n`: the least memory."""

    n: int = 1

    def __post_init__(self) -> None:
        whole_number("n", self.n, at_least=1)

    def count(self, missing: int, _size: int) -> int:
        """As `Step.count`."""
        return math.ceil(missing / self.n) * self.n


@dataclass(frozen=True, slots=True)
class Block:
    """Builds what is missing, rounded up to blocks of a `fraction` of the pool: the fewest looks that build."""

    fraction: float = 0.25

    def __post_init__(self) -> None:
        share("fraction", self.fraction)

    def count(self, missing: int, size: int) -> int:
        """As `Step.count`."""
        block = max(1, math.ceil(self.fraction * size))
        return math.ceil(missing / block) * block


@dataclass(frozen=True, slots=True)
class WhenEmpty:
    """Nothing is built ahead."""

    step: Step = TinyStep()
    period: float = math.inf

    def reserve(self, _usage: Usage) -> int:
        """As `Growth.reserve`."""
        return 0


when_empty: Growth = WhenEmpty()
"""Who finds the pool empty builds an object, and nobody builds ahead."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """Keeps a `fraction` of the pool's objects at rest: with fewer, it builds. Of use where demand jumps.

    Args:
        fraction: the resting share, between 0 and 1. At 0.25 a pool with 75 objects in use has 25 at rest.
        step: how many are built at a time.
        period: seconds between two looks.
    """

    fraction: float = 0.25
    step: Step = Block()
    period: float = 0.1

    def __post_init__(self) -> None:
        share("fraction", self.fraction)
        checked_step(self.step)
        positive("period", self.period)

    def reserve(self, usage: Usage) -> int:
        """As `Growth.reserve`."""
        return math.ceil(usage.in_use * self.fraction / (1 - self.fraction))


@dataclass(frozen=True, slots=True)
class LeaseRate:
    """Has at rest what will be taken within `horizon_s` seconds, at the rates of leases and returns lately seen.

    100 objects, 20 taken and 10 returned a second, are gone in 10 seconds; with a horizon of 10 seconds it builds from
    then on. Of use where demand ramps.

    The rates are those of the last `horizon_s` seconds, and it looks ten times in these. So a jump has as many built
    again as were taken, once, and is not taken for a ramp.

    Args:
        horizon_s: seconds to look ahead: longer than building takes.
        step: how many are built at a time.
    """

    horizon_s: float
    step: Step = TinyStep()

    def __post_init__(self) -> None:
        positive("horizon_s", self.horizon_s)
        checked_step(self.step)

    @property
    def period(self) -> float:
        """Seconds between two looks."""
        return self.horizon_s / LOOKS

    def reserve(self, usage: Usage) -> int:
        """As `Growth.reserve`."""
        return max(0, math.ceil((usage.leases - usage.returns) * self.horizon_s))


def checked_step(step: Step) -> Step:
    """Return `step` if it can be asked, else raise `BadOption`."""
    try:
        whole_number("step", step.count(1, 1))
    except Exception as error:
        msg = f"step={step!r}: it takes Fixed(…), TinyStep(…), Block(…), or what has the same method"
        raise BadOption(msg) from error
    return step
