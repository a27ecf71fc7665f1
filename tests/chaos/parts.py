"""The parts of the chaos inside of this process: each runs some steps, and raises what it finds."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from functools import partial

import hypothesis

from .bounds import Bounds
from .buffer_machine import BufferPoolMachine
from .lifecycle_machine import LifecycleMachine
from .machine import SETTINGS, WITHOUT_SHRINKING, Machine, collected_on_demand, run_steps
from .object_machine import ObjectPoolMachine
from .tasks import LANES, Lanes, run_tasks, run_two_loops
from .threads import run_threads

Progress = Callable[[int], object]
Part = Callable[[Bounds, int, Progress, bool], int]
"""Takes the bounds, the steps that are wanted, whom to tell how far it is, and whether to look for a short form of what
it finds; returns the steps that were done."""

EXAMPLES = 250


def _machine(machine: type[Machine], bounds: Bounds, wanted: int, progress: Progress, shrink: bool) -> int:
    return run_steps(machine, wanted, partial(bounds.seed_for, machine.__name__), progress, shrink=shrink)


def _rounds(run: Callable[[random.Random], int], bounds: Bounds, wanted: int, progress: Progress, _shrink: bool) -> int:
    """Threads take another turn each time, so nothing shorter is looked for."""
    steps = number = 0
    while steps < wanted:
        steps += run(bounds.random(run.__name__, number))
        number += 1
        progress(steps)
    return steps


def _tasks(loop: str, bounds: Bounds, wanted: int, progress: Progress, shrink: bool) -> int:
    steps = number = 0

    def serve(lanes: Lanes) -> None:
        nonlocal steps
        gc.freeze()  # as a machine does
        steps += run_tasks(loop, lanes)

    while steps < wanted:
        examples = min((wanted - steps) // 20 + 2, EXAMPLES)  # the first example is always the empty one
        these = hypothesis.settings(SETTINGS if shrink else WITHOUT_SHRINKING, max_examples=examples)
        with collected_on_demand():
            hypothesis.seed(bounds.seed_for(loop, number))(these(hypothesis.given(LANES)(serve)))()
        number += 1
        progress(steps)
    return steps


PARTS: dict[str, tuple[Part, float]] = {
    "object_pools": (partial(_machine, ObjectPoolMachine), 0.24),
    "buffer_pools": (partial(_machine, BufferPoolMachine), 0.16),
    "requests": (partial(_machine, LifecycleMachine), 0.20),
    "threads": (partial(_rounds, run_threads), 0.18),
    "two_loops": (partial(_rounds, run_two_loops), 0.08),
    "asyncio": (partial(_tasks, "asyncio"), 0.07),
    "trio": (partial(_tasks, "trio"), 0.07),
}
"""By name, with their share of all steps."""
