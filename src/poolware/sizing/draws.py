"""When requests come, and for how long each of them keeps its object: drawn at random."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrivals", "Floats", "Hold", "arrival_times", "hold_times"]

Arrivals = Literal["poisson", "constant", "bursts", "diurnal"]
Hold = Literal["exponential", "constant", "lognormal", "hyperexponential"]
Floats = NDArray[np.float64]

_SIGMA = 1.0
"""Of the lognormal hold time's logarithm: its standard deviation is 1.3 times its mean."""
_LONG, _LONGER = 0.1, 5.5
"""A hyperexponential hold time is 5.5 times the mean in one of ten cases, and half of it otherwise."""
_BURST = 0.1
"""The share of each period for which a burst lasts."""
_CYCLES = 10
_STEPS = 1000


def arrival_times(
    kind: Arrivals, count: int, rate: float, chance: np.random.Generator, *, peak: float, period_s: float | None
) -> Floats:
    """Return the seconds at which `count` requests come, ascending, at `rate` a second on average.

    ``bursts`` and ``diurnal`` are Poisson processes whose rate changes (E. Çinlar, "Introduction to Stochastic
    Processes", 1975, section 4.7: the times of a steady one, through the inverse of the rate's integral). It reaches
    `peak` times the average in a tenth of each period, or at the top of a sine. A period is a tenth of the whole for
    bursts and the whole for a day, unless `period_s` says otherwise.
    """
    if kind == "constant":
        return np.arange(1, count + 1) / rate
    steady = np.cumsum(chance.exponential(1 / rate, count))
    if kind == "poisson":
        return steady
    period = period_s or count / rate / (_CYCLES if kind == "bursts" else 1)
    phase = np.linspace(0, 1, _STEPS + 1)
    passed = _bursts(phase, peak) if kind == "bursts" else _day(phase, peak)
    cycles, within = np.divmod(steady, period)
    times: Floats = (cycles + np.interp(within / period, passed, phase)) * period
    return times


def _bursts(phase: Floats, peak: float) -> Floats:
    """Return the share of a period's requests that have come, as a function of the share of its time."""
    between = (1 - peak * _BURST) / (1 - _BURST)
    passed: Floats = np.where(phase < 1 - _BURST, phase * between, 1 - (1 - phase) * peak)
    return passed


def _day(phase: Floats, peak: float) -> Floats:
    """As `_bursts`, for the rate ``1 - (peak - 1) cos(2π phase)``: the night comes first."""
    passed: Floats = phase - (peak - 1) * np.sin(2 * np.pi * phase) / (2 * np.pi)
    return passed


def hold_times(kind: Hold, count: int, mean_s: float, chance: np.random.Generator) -> Floats:
    """Return for how many seconds each of `count` requests keeps its object."""
    match kind:
        case "constant":
            return np.full(count, mean_s)
        case "lognormal":
            return chance.lognormal(np.log(mean_s) - _SIGMA**2 / 2, _SIGMA, count)
        case "hyperexponential":
            shorter = (1 - _LONG * _LONGER) / (1 - _LONG)
            scale = np.where(chance.random(count) < _LONG, _LONGER, shorter)
            return chance.exponential(1.0, count) * scale * mean_s
        case _:
            return chance.exponential(mean_s, count)
