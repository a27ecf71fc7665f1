"""Timing a group: every round times its subjects one after another, so that a ratio's two times are neighbors.

The time is the process's own, without what it waits for a core: no subject here waits for anything else.
"""

from __future__ import annotations

import gc
import timeit
from collections.abc import Callable
from math import ceil
from random import Random
from time import process_time
from typing import Any

from benchmarks.groups import Group, Subject

Timer = Callable[[int], float]


def measure(group: Group, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Return one record a comparison: its fields, and the times of `subject`, `over` and `without` in each round."""
    timers = {name: timer(subject, group.names) for name, subject in group.subjects.items()}
    loops = repetitions(group, timers, seconds)
    times: list[dict[str, float]] = []
    order, chance = list(timers), Random(0)  # in a fixed order the collector's turns would hit the same subjects
    for _ in range(ceil(rounds * group.repeat)):
        chance.shuffle(order)
        times.append({name: timers[name](loops[name]) / loops[name] for name in order})
    group.check()
    return [_record(vars(comparison), times, group.absent) for comparison in group.comparisons]


def timer(subject: Subject, names: dict[str, Any]) -> Timer:
    """Return a function that repeats `subject` and returns the seconds, with the garbage collector running as usual."""
    if callable(subject):
        return subject
    return timeit.Timer(subject, "gc.enable()", process_time, globals=names | {"gc": gc}).timeit


def repetitions(group: Group, timers: dict[str, Timer], seconds: float) -> dict[str, int]:
    """Return how often to repeat each subject; all equally often where one is subtracted from another.

    What comes once a turn, such as code that is not in the caches any more, must be the same share of each then.
    """
    for _ in range(2):  # nothing was warm the first time
        loops = {name: calibrated(timer, seconds * group.stretch) for name, timer in timers.items()}
    if any(comparison.without for comparison in group.comparisons):
        return dict.fromkeys(loops, min(loops.values()))
    return loops


def calibrated(timer: Timer, seconds: float) -> int:
    """Return how many repetitions take about so long."""
    loops = 1
    while (taken := timer(loops)) < seconds:
        loops *= 2
    return ceil(loops * seconds / taken)


def _record(comparison: dict[str, Any], times: list[dict[str, float]], absent: dict[str, str]) -> dict[str, Any]:
    subject, over, without = comparison["subject"], comparison["over"], comparison["without"]
    why = absent.get(subject) or absent.get(over)
    if why:
        return comparison | {"note": why, "times": []}
    return comparison | {"note": "", "times": [(at[subject], at[over], at.get(without, 0.0)) for at in times]}
