"""A comparison from start to end: the A/A control, then each scenario on all arms."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from typing import Any, Protocol

from loadtests.arms import Arm
from loadtests.cores import Cores
from loadtests.load import Load, driving
from loadtests.rounds import Round, interleaved, measure
from loadtests.servers import serving

# Enough for a wrong answer to show before two minutes have been spent on the others.
CHECK = Load(users=2, seconds=0.1)


@dataclass(frozen=True)
class Plan:
    """What to compare, and for how long: `rounds` is the number of rounds of each arm in each scenario."""

    scenarios: Sequence[str]
    arms: Sequence[Arm]
    rounds: int
    load: Load

    @property
    def baseline(self) -> str:
        """The arm that the others are judged against."""
        names = [arm.name for arm in self.arms]
        return "plain" if "plain" in names else names[0]

    @property
    def total_rounds(self) -> int:
        """How many rounds there are in all, those of the control included, warm-ups not."""
        return self.rounds * (2 + len(self.scenarios) * len(self.arms))

    def settings(self) -> dict[str, Any]:
        """Return the plan as it is recorded with the results."""
        return {
            "scenarios": list(self.scenarios),
            "arms": {arm.name: {"app": arm.app, "variables": arm.variables} for arm in self.arms},
            "baseline": self.baseline,
            **asdict(self.load),
            "rounds": self.rounds,
        }


@dataclass
class Collected:
    """The rounds so far; whoever interrupts a comparison finds here what was measured."""

    control: list[Round] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)


class Watcher(Protocol):
    """Whoever wants to see how far a comparison is."""

    def begin(self, part: str) -> None:
        """Take note that a part begins."""

    def advance(self, arm: str) -> None:
        """Take note that a round of `arm` is over."""


def run(plan: Plan, cores: Cores, collected: Collected, watcher: Watcher) -> None:
    """Run the whole plan; the first failure ends it with a `ComparisonError`."""
    with driving(cores.driver) as driver:

        def compare(scenario: str, arms: Sequence[Arm], into: list[Round]) -> None:
            def done(entry: Round) -> None:
                into.append(entry)
                watcher.advance(entry.arm)

            with serving(arms, cores.server) as servers:
                interleaved(driver, servers, scenario, plan.rounds, plan.load, done=done)

        watcher.begin("checking the answers of all arms")
        with serving(plan.arms, cores.server) as servers:
            for scenario, server in product(plan.scenarios, servers):
                measure(driver, server, scenario, 0, CHECK)
        equal = next(arm for arm in plan.arms if arm.name == plan.baseline)
        twins = [replace(equal, name=f"{equal.name} {twin}") for twin in ("A", "A'")]
        watcher.begin(f"A/A control on {plan.scenarios[0]}")
        compare(plan.scenarios[0], twins, collected.control)
        for scenario in plan.scenarios:
            watcher.begin(scenario)
            compare(scenario, plan.arms, collected.rounds)
