"""What the state machines share: they count their steps, and hold their pools to the books."""

from __future__ import annotations

import contextlib
import functools
import gc
import sys
from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from zlib import crc32

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from poolware import BufferStats, PoolStats

from .samples import TROUBLE, Fault, Interrupt

EXAMPLE_STEPS = 100
MOST_INSIDE = 3
SETTINGS = settings(
    stateful_step_count=EXAMPLE_STEPS,
    database=None,  # the seed alone says what is tried
    deadline=None,
    derandomize=False,
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
WITHOUT_SHRINKING = settings(SETTINGS, phases=[Phase.generate])


class Machine(RuleBasedStateMachine):
    """One example: rules act and check at once, `check_end` looks when everything has been let go of."""

    steps: ClassVar[int] = 0
    """Executed steps of all examples of all machines."""
    trail: ClassVar[int] = 0
    """Tells one sequence of choices from another."""

    def __init__(self) -> None:
        super().__init__()
        gc.freeze()  # what is alive by now is none of this example's; collections only look at what is, and are quick
        TROUBLE.forget()
        self.over = False
        self.wrong: list[str] = []
        """What was noticed where nothing can be raised: in finalizers."""
        self.depth = 0

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None and hasattr(self, "pool"):
                self.check_end()
                assert self.wrong == []
        finally:
            self.over = True
            TROUBLE.forget()

    def reenter(self, what: str) -> None:
        """Act in the middle of whatever a pool is doing."""
        self.depth += 1
        try:
            if self.depth < MOST_INSIDE:
                self.act_inside(what)
        except (Fault, Interrupt):
            pass
        except BaseException as error:
            self.wrong.append(f"{what}: {error!r}")
        finally:
            self.depth -= 1

    def act_inside(self, what: str) -> None:
        """Do `what` as the end of some value does it."""
        raise NotImplementedError

    def check_end(self) -> None:
        """Let go of everything, and look whether all of it came back."""
        raise NotImplementedError


class LastWords:
    """A value whose end, wherever that happens, comes back into the pool (H35)."""

    def __init__(self, machine: Machine, what: str) -> None:
        self.machine, self.what = machine, what

    def __deepcopy__(self, _memo: object) -> str:
        """A detached context has a copy of its parts, which is no part of the play."""
        return self.what

    def __del__(self) -> None:
        if not self.machine.over:
            self.machine.reenter(self.what)


def step(*needs: str, **strategies: Any) -> Callable[[Any], Any]:
    """Declare a rule that counts as a step; where the machine has none of what it `needs`, nothing happens.

    A precondition would make what hypothesis draws next depend on the pools' state, and that may depend on addresses.
    """

    def declare(act: Any) -> Any:
        @functools.wraps(act)
        def act_and_count(self: Machine, **drawn: Any) -> None:
            Machine.trail = crc32(f"{act.__name__}{drawn}".encode(), Machine.trail)
            if all(getattr(self, name) for name in needs):
                Machine.steps += 1
                act(self, **drawn)
                assert self.wrong == []

        return rule(**strategies)(act_and_count)

    return declare


def run_steps(
    machine: type[Machine],
    wanted: int,
    seed_of: Callable[[int], int],
    progress: Callable[[int], object] = lambda _steps: None,
    *,
    shrink: bool = True,
) -> int:
    """Run examples until `wanted` steps are done, each round of them from `seed_of` its number; return the steps."""
    begun, number = Machine.steps, 0
    while (left := wanted - (Machine.steps - begun)) > 0:
        examples = min(400, left // EXAMPLE_STEPS + 1)
        these = settings(SETTINGS if shrink else WITHOUT_SHRINKING, max_examples=examples)
        with collected_on_demand():
            run_state_machine_as_test(seed(seed_of(number))(type(machine.__name__, (machine,), {})), settings=these)
        number += 1
        progress(Machine.steps - begun)
    return Machine.steps - begun


@contextlib.contextmanager
def collected_on_demand() -> Iterator[None]:
    """Collect garbage where a rule says so and nowhere else: an example that is tried again must go the same way."""
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()
        gc.collect()
        gc.freeze()  # as it was: tests/conftest.py


def check_pool(stats: PoolStats) -> None:
    """Hold a pool to what the documentation of PoolStats says."""
    assert stats.acquired == stats.released + stats.in_use + stats.lost, stats
    assert stats.acquired == stats.hits + stats.misses, stats
    assert stats.created == stats.idle + stats.in_use + stats.quarantined + stats.destroyed, stats
    assert min(_figures(stats)) >= 0, stats


def check_buffers(stats: BufferStats) -> None:
    """Hold a pool to what the documentation of BufferStats says."""
    assert stats.acquired == stats.released + stats.in_use, stats
    assert stats.created == stats.idle + stats.in_use + stats.quarantined + stats.dropped, stats
    assert min(_figures(stats)) >= 0, stats


def _figures(stats: Any) -> list[int]:
    return [figure for name in stats.__slots__ if isinstance(figure := getattr(stats, name), int)]
