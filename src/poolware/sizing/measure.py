"""Does it pay to pool an object? Measured on this machine, with a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from poolware._core.core import CORE
from poolware._core.proof import REUSE_REFUSED
from poolware.pools.announce import announced_mode
from poolware.sizing.checks import number
from poolware.sizing.memory import Memory, memory_of
from poolware.sizing.subject import Subject, tried
from poolware.sizing.timing import Timing, compare

__all__ = ["BreakEven", "Measurement", "Verdict", "measure"]

Verdict = Literal["pool", "fresh", "no difference", "not reused"]

_MARGIN = 0.05
"""A difference that is not worth a pool, and close to what two runs of the same differ by."""
_CORE_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class BreakEven:
    """From where on a pool pays; infinite where it never does."""

    overhead_s: float
    """Seconds that acquisition, reset and release take: what making and ending an object must cost more than."""
    saved_s: float
    """Seconds that each use saves; negative where the pool costs more."""
    uses: float
    """How often an object must be used until the pool has paid for it."""
    rate_for_1_percent: float
    """Uses per second at which 1 % of a core is saved: below that it does not matter."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What pooling an object gains and costs here."""

    name: str
    verdict: Verdict
    sentence: str
    """The verdict in words."""
    core: str
    """``compiled`` or ``python``: which twin of poolware's hot path was measured."""
    context: bool
    """It is a context class, which is not made to be built outside of a pool."""
    held: bool
    """Its objects are referred to by themselves or by their maker. A pool cannot prove those unshared; measured is one
    that lends a holder of each, on your word."""
    timing: Timing
    break_even: BreakEven
    fresh_memory: Memory
    pooled_memory: Memory


def measure(
    make: Callable[[], Any],
    *,
    reset: Callable[[Any], object] | None = None,
    use: Callable[[Any], object] | None = None,
    used_bytes: int = 0,
    seconds: float = 1.0,
    tell: Callable[[float], object] = lambda _share: None,
) -> Measurement:
    """Build, use and end objects, and acquire, use, reset and release them; compare the two.

    Args:
        make: a class or a function without arguments. Context classes bring their own reset. What has a ``close()`` is
            closed when it ends, in both ways: pooled ones at the very end.
        reset: makes a used object as good as new.
        use: called with each object, as a request would use it. Needed for what allocates on its first use.
        used_bytes: how much of an object's memory, such as a bytearray's, each use writes, and the reset wipes.
        seconds: how long to measure, roughly. A making that takes longer than a tenth of it takes more.
        tell: called with the share that is done.

    Raises:
        BadOption: an argument has a value that it does not take.
    """
    number("seconds", seconds, above=0, high=3600)
    subject = Subject(make, reset, use, used_bytes)
    timing = tried(f"measuring {subject.name}", lambda: compare(subject, seconds=seconds, tell=tell))
    fresh, pooled = tried(f"measuring {subject.name}", lambda: memory_of(subject))
    verdict, sentence = _judge(timing)
    return Measurement(
        subject.name,
        verdict,
        sentence,
        CORE,
        subject.is_context,
        subject.held,
        timing,
        _break_even(timing),
        fresh,
        pooled,
    )


def _judge(timing: Timing) -> tuple[Verdict, str]:
    """The interval decides, not the median, so that the verdict stays the same when it is asked for again."""
    ratio = timing.ratio
    if timing.reused < 1 / 2:
        mode = announced_mode().value
        held = REUSE_REFUSED or "somebody holds on to the objects"
        why = held if mode == "on" else f"POOLWARE_MODE is {mode}"
        return "not reused", f"nothing to compare: only {timing.reused:.0%} of the acquisitions reused one ({why})"
    if ratio.high < 1 - _MARGIN:
        return "pool", f"pool it: saves {math.floor(100 * (1 - ratio.median))}%"
    if ratio.low > 1 + _MARGIN:
        return "fresh", f"do not pool it: a fresh one is cheaper ({ratio.median:.2g} times as much pooled)"
    return "no difference", "no clear difference: build it fresh, which is simpler"


def _break_even(timing: Timing) -> BreakEven:
    fresh, pooled = timing.fresh.seconds, timing.pooled.seconds
    saved = fresh * (1 - timing.ratio.median)
    return BreakEven(
        overhead_s=pooled,
        saved_s=saved,
        uses=math.ceil(fresh / saved) if saved > 0 else math.inf,
        rate_for_1_percent=_CORE_SHARE / saved if saved > 0 else math.inf,
    )
