"""A pool under a load, event by event: hit rate, waits and memory for what no formula covers.

Needs numpy: ``pip install poolware[simulate]``. A million requests take seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from poolware._core.options import whole_number
from poolware.errors import BadOption
from poolware.sizing.checks import number
from poolware.sizing.draws import Arrivals, Floats, Hold, arrival_times, hold_times
from poolware.sizing.little import in_use
from poolware.sizing.process import Growth, Run, run_process

__all__ = ["Result", "Scenario", "Timeline", "simulate"]

WhenEmpty = Literal["wait", "build"]

_CHOICES = {"arrivals": Arrivals, "hold": Hold, "growth": Growth, "when_empty": WhenEmpty}
_MOST = 20_000_000
_SLOWEST = 1e-6
_POINTS = 250
_FINER = 40
"""How many times as many points the averages are taken over."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A load, and the pool that is to carry it. In a fleet each process has such a pool, and its share of the load.

    Raises:
        BadOption: an argument has a value that it does not take.
    """

    rate: float
    """Requests per second, of the whole fleet."""
    hold_s: float
    """Seconds for which each of them keeps its object, on average."""
    max_size: int
    """Objects of one process, at the most."""
    min_size: int = 0
    """Objects that each process has from the start and keeps."""
    requests: int = 100_000
    processes: int = 1
    arrivals: Arrivals = "poisson"
    hold: Hold = "exponential"
    peak: float = 2.0
    """The busiest rate as a multiple of the average, for bursts (up to 10) and days (up to 2)."""
    period_s: float | None = None
    """Seconds from one burst, or day, to the next; by default ten bursts, or one day, in all."""
    when_empty: WhenEmpty = "wait"
    """``wait``: at most `max_size` exist, further requests queue, as in a ResourcePool. ``build``: what is missing is
    built, and at most `max_size` are kept, as in an ObjectPool."""
    create_s: float = 0.0
    """Seconds that building one takes."""
    growth: Growth = "when_empty"
    """When one more is built: ``when_empty``, or ahead of the demand. ``watermark``: less than `ahead` of all are
    spare. ``lease_rate``: fewer are spare than `horizon_s` will take, at the rate at which leases outnumber returns."""
    ahead: float = 0.25
    horizon_s: float = 0.1
    idle_timeout_s: float | None = None
    """Seconds after which one that nobody wanted goes, down to `min_size`."""
    seed: int = 1

    def __post_init__(self) -> None:
        in_use(number("rate", self.rate, low=_SLOWEST), self.hold_s)
        for option, choices in _CHOICES.items():
            if getattr(self, option) not in get_args(choices):
                msg = f"{option}={getattr(self, option)!r}: it takes one of {', '.join(get_args(choices))}"
                raise BadOption(msg)
        whole_number("max_size", self.max_size, at_least=1)
        whole_number("processes", self.processes, at_least=1)
        whole_number("requests", self.requests, at_least=self.processes)
        whole_number("min_size", self.min_size)
        whole_number("seed", self.seed)
        number("peak", self.peak, low=1, high=2 if self.arrivals == "diurnal" else 10)
        number("create_s", self.create_s)
        number("ahead", self.ahead, high=1)
        number("horizon_s", self.horizon_s, above=0)
        for option in ("period_s", "idle_timeout_s"):
            if getattr(self, option) is not None:
                number(option, getattr(self, option), above=0)
        if self.requests > _MOST or self.processes * self.max_size > _MOST:
            asked = f"requests={self.requests}, processes={self.processes}, max_size={self.max_size}"
            msg = f"{asked}: too much to simulate; it takes up to {_MOST:,} requests, and as many objects in all"
            raise BadOption(msg)
        if self.min_size > self.max_size:
            msg = f"min_size={self.min_size}: it takes a whole number up to max_size={self.max_size}"
            raise BadOption(msg)


@dataclass(frozen=True)
class Timeline:
    """What there was at `seconds`: a point each, evenly spread over the whole time."""

    seconds: Floats
    objects: Floats
    in_use: Floats
    waiting: Floats


@dataclass(frozen=True)
class Result:
    """What the requests met."""

    requests: int
    seconds: float
    """Until the last request came."""
    hit_rate: float
    """The share that found an object ready."""
    waited: float
    """The share that had to wait, for another's object or for a new one."""
    wait_mean_s: float
    wait_p99_s: float
    wait_max_s: float
    in_use_mean: float
    waiting_mean: float
    objects_mean: float
    objects_peak: int
    """In existence at once, of the whole fleet."""
    built: int
    """Over the whole time, without those that were there at the start."""
    timeline: Timeline = field(repr=False)


def simulate(scenario: Scenario) -> Result:
    """Let the requests come and return what became of them. The same seed gives the same result."""
    chance = np.random.default_rng(scenario.seed)
    arrivals = arrival_times(
        scenario.arrivals, scenario.requests, scenario.rate, chance, peak=scenario.peak, period_s=scenario.period_s
    )
    holds = hold_times(scenario.hold, scenario.requests, scenario.hold_s, chance)
    shares = _shares(scenario, chance)
    return _summary(scenario, [run_process(arrivals[share], holds[share], scenario) for share in shares])


def _shares(scenario: Scenario, chance: np.random.Generator) -> list[NDArray[np.intp]]:
    """Return which requests each process serves: in turn where they come so, else at random."""
    in_turn = scenario.arrivals == "constant"
    owner = np.arange(scenario.requests) if in_turn else chance.integers(scenario.processes, size=scenario.requests)
    order = np.argsort(owner % scenario.processes, kind="stable")
    last = np.cumsum(np.bincount(owner % scenario.processes, minlength=scenario.processes))[:-1]
    return np.split(order, last)


def _summary(scenario: Scenario, runs: list[Run]) -> Result:
    arrivals, starts, ends, created, destroyed = (
        np.concatenate([getattr(run, name) for run in runs])
        for name in ("arrivals", "starts", "ends", "created", "destroyed")
    )
    waits = starts - arrivals
    last = float(arrivals.max())
    seconds = np.linspace(0, last, _POINTS * _FINER + 1)
    have_come, have_begun, have_ended, have_been_built, have_gone = (
        np.searchsorted(np.sort(times), seconds, side="right") for times in (arrivals, starts, ends, created, destroyed)
    )
    in_use_at, waiting_at = have_begun - have_ended, have_come - have_begun
    objects = scenario.min_size * scenario.processes + have_been_built - have_gone
    shown = slice(None, None, _FINER)
    return Result(
        requests=len(waits),
        seconds=last,
        hit_rate=sum(run.hits for run in runs) / len(waits),
        waited=float(np.count_nonzero(waits > 0) / len(waits)),
        wait_mean_s=float(waits.mean()),
        wait_p99_s=float(np.percentile(waits, 99)),
        wait_max_s=float(waits.max()),
        in_use_mean=float(in_use_at.mean()),
        waiting_mean=float(waiting_at.mean()),
        objects_mean=float(objects.mean()),
        objects_peak=int(objects.max()),
        built=len(created),
        timeline=Timeline(*(np.asarray(at[shown], float) for at in (seconds, objects, in_use_at, waiting_at))),
    )
