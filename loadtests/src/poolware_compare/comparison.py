"""A comparison from start to end: the A/A controls, then each case on all arms."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Protocol

from poolware_compare import databases
from poolware_compare.arms import Arm
from poolware_compare.driver.client import Driver, driving
from poolware_compare.plan import Case, Plan
from poolware_compare.ratios import widest
from poolware_compare.rounds import Round, blocks, warm_up
from poolware_compare.servers import Server, serving

# Enough for a wrong answer to show before minutes have been spent on others.
CHECK_SECONDS = 0.1


@dataclass
class Collected:
    """The rounds so far; whoever interrupts a comparison finds here what was measured."""

    controls: dict[str, list[Round]] = field(default_factory=dict)
    cases: list[tuple[Case, list[Round]]] = field(default_factory=list)


class Watcher(Protocol):
    """Whoever wants to see how far a comparison is."""

    def begin(self, part: str) -> None:
        """Take note that a part begins."""

    def advance(self, arm: str, *, extra: bool = False) -> None:
        """Take note that a round of `arm` is over; `extra` rounds are those that were added to the plan."""


def run(plan: Plan, collected: Collected, watcher: Watcher) -> None:
    """Run the whole plan; the first failure ends it with a `ComparisonError`."""
    with beside(plan) as driver:
        watcher.begin("checking the answers of all arms")
        for app, server in dict.fromkeys((case.app, case.server) for case in plan.cases):
            _check(plan, driver, [case for case in plan.cases if (case.app, case.server) == (app, server)])
        for app, case in plan.controlled().items():
            watcher.begin(f"A/A control of {case.title}")
            equal = case.arms[0]
            twins = [replace(equal, name=f"{equal.name} {twin}") for twin in ("A", "A'")]
            compare(plan, driver, replace(case, arms=twins), collected.controls.setdefault(app, []), watcher)
        for case in plan.cases:
            watcher.begin(case.title)
            rounds: list[Round] = []
            collected.cases.append((case, rounds))
            compare(plan, driver, case, rounds, watcher)


@contextmanager
def beside(plan: Plan) -> Iterator[Driver]:
    """Run what a plan needs beside the servers: the load, and PostgreSQL where a scenario asks for it."""
    postgres = any(case.scenario.needs_postgres for case in plan.cases)
    with (
        databases.postgres(plan.cores.driver) if postgres else nullcontext(),
        driving(
            plan.processes, bind=plan.network.address, prefix=plan.network.prefix, cores=plan.cores.driver
        ) as driver,
    ):
        yield driver


@contextmanager
def served(plan: Plan, case: Case, arms: Sequence[Arm]) -> Iterator[list[Server]]:
    """Run servers for these arms of a case."""
    with serving(
        arms, case.server, workers=plan.workers, address=plan.network.address, cores=plan.cores.server
    ) as servers:
        yield servers


def _check(plan: Plan, driver: Driver, cases: Sequence[Case]) -> None:
    load = replace(plan.load, users=min(2, plan.load.users), seconds=CHECK_SECONDS, rate=None, shape="constant")
    with served(plan, cases[0], cases[0].arms) as servers:
        for case in cases:
            for server in servers:
                warm_up(driver, server, case.scenario, load)


def compare(plan: Plan, driver: Driver, case: Case, into: list[Round], watcher: Watcher) -> None:
    """Run one case: all its arms in turns, on servers that are started anew now and then."""
    names = [arm.name for arm in case.arms]
    count = min(plan.restart_every, plan.rounds)
    end = time.monotonic() + plan.limit_s
    start = 0
    while start * count < plan.rounds or _wanting(plan, into, names, end):
        with served(plan, case, case.arms) as servers:
            for entry in blocks(driver, servers, case.scenario, plan.load, start=start, count=count):
                into.append(entry)
                watcher.advance(entry.arm, extra=start * count >= plan.rounds)
        start += 1


def _wanting(plan: Plan, rounds: Sequence[Round], names: Sequence[str], end: float) -> bool:
    """Tell whether more rounds are wanted. What counts is how sure the result is, and never what it says."""
    return plan.width is not None and time.monotonic() < end and widest(rounds, names) > plan.width
