"""Erlang's formulas: how long one waits for a pool of a given size.

They hold for requests that come independently of each other and for exponential hold times (M/M/c), first come, first
served. Constant hold times wait about half as long, bursts longer: `poolware.sizing.simulate` covers those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from poolware._core.options import whole_number
from poolware.errors import BadOption
from poolware.sizing.checks import number
from poolware.sizing.little import LARGEST, in_use

__all__ = ["Waiting", "erlang_b", "erlang_c", "size_for_wait", "waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What requests wait for a pool. All of it is infinite where more comes in than the pool can serve."""

    size: int
    utilization: float
    """The share of the pool that is in use, on average; from 1 on the queue grows without end."""
    probability: float
    """Of having to wait at all."""
    mean_s: float
    """Seconds, over all requests."""
    p99_s: float
    """Seconds that 99 of 100 requests do not exceed."""


def erlang_b(size: int, load: float) -> float:
    """Return the probability that all of `size` are in use, where nobody waits.

    A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic telephone
    exchanges", 1917; by the recursion ``B(n) = a B(n-1) / (n + a B(n-1))``, which neither overflows nor cancels.

    Args:
        size: of the pool.
        load: objects that would be in use at once, on average: rate times hold time.

    Raises:
        BadOption: an argument has a value that it does not take.
    """
    whole_number("size", size, at_least=1)
    number("load", load, above=0, high=LARGEST)
    if size > LARGEST:
        msg = f"size={size}: it takes up to {LARGEST:,}"
        raise BadOption(msg)
    blocked = 1.0
    for n in range(1, size + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(size: int, load: float) -> float:
    """Return the probability that a request has to wait; 1 where the load is not below the size.

    Erlang 1917; ``C = B / (1 - u (1 - B))`` with u the utilization: R. B. Cooper, "Introduction to Queueing Theory",
    2nd edition, 1981, section 3.6. Arguments as for `erlang_b`.
    """
    return _from_blocked(size, load, erlang_b(size, load))


def waiting(size: int, rate: float, hold_s: float) -> Waiting:
    """Return what requests wait for a pool of this size.

    The time waited exceeds t with probability ``C exp(-(c - a) t / W)``, so that its mean is ``C W / (c - a)`` and a
    quantile follows by solving for t: L. Kleinrock, "Queueing Systems", volume 1, 1975, section 3.5.

    Args:
        size: of the pool.
        rate: acquisitions per second.
        hold_s: seconds for which each of them keeps its object, on average.

    Raises:
        BadOption: an argument has a value that it does not take.
    """
    load = in_use(rate, hold_s)
    return _waiting(size, load, hold_s, erlang_b(size, load))


def size_for_wait(rate: float, hold_s: float, p99_s: float) -> Waiting:
    """Return the smallest pool for which 99 of 100 requests wait no longer than `p99_s` seconds.

    Raises:
        BadOption: an argument has a value that it does not take.
    """
    load = in_use(rate, hold_s)
    number("p99_s", p99_s)
    blocked, size = 1.0, 0
    while True:
        size += 1
        blocked = load * blocked / (size + load * blocked)
        if size > load and (found := _waiting(size, load, hold_s, blocked)).p99_s <= p99_s:
            return found


def _from_blocked(size: int, load: float, blocked: float) -> float:
    return blocked / (1 - load / size * (1 - blocked)) if load < size else 1.0


def _waiting(size: int, load: float, hold_s: float, blocked: float) -> Waiting:
    utilization = load / size
    if load >= size:
        return Waiting(size, utilization, 1.0, math.inf, math.inf)
    probability = _from_blocked(size, load, blocked)
    pace = hold_s / (size - load)
    p99 = pace * math.log(probability / 0.01) if probability > 0.01 else 0.0  # noqa: PLR2004 - what p99 means
    return Waiting(size, utilization, probability, probability * pace, p99)
