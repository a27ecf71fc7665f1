"""What to compare, and for how long."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from poolware_compare.arms import Arm
from poolware_compare.cores import Cores
from poolware_compare.driver.order import Load
from poolware_compare.network import Network
from poolware_compare.scenarios import Scenario


@dataclass(frozen=True)
class Case:
    """One line of the table: the arms of an application, on a server, in a scenario."""

    app: str
    server: str
    scenario: Scenario
    arms: Sequence[Arm]

    @property
    def title(self) -> str:
        """Its name."""
        return f"{self.app} {self.scenario.name}"

    @property
    def baseline(self) -> str:
        """The arm that the others are judged against: the first."""
        return self.arms[0].name


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All cases, and how they are measured."""

    cases: Sequence[Case]
    load: Load
    rounds: int
    """Rounds of each arm in each case, at the least."""
    restart_every: int = 12
    """Rounds after which the servers are started anew."""
    width: float | None = None
    """Rounds are added until the intervals reach no farther than this share to each side …"""
    limit_s: float = 600.0
    """… or so many seconds have been spent on a case."""
    processes: int = 1
    workers: int = 1
    cores: Cores = field(default_factory=lambda: Cores([], []))
    network: Network = field(default_factory=Network)

    def controlled(self) -> dict[str, Case]:
        """Return the case in which each application's A/A control is run: its first."""
        return {case.app: case for case in reversed(self.cases)}

    @property
    def total_rounds(self) -> int:
        """How many rounds there are at the least, those of the controls included, warm-ups not."""
        return self.rounds * (2 * len(self.controlled()) + sum(len(case.arms) for case in self.cases))

    def settings(self) -> dict[str, Any]:
        """Return the plan as it is recorded with the results."""
        variables = {arm.name: arm.variables for case in self.cases for arm in case.arms}
        return {
            "arms": list(variables),
            "apps": {case.app: case.arms[0].app for case in self.cases},
            "variables": variables,
            **asdict(self.load),
            "rounds": self.rounds,
            "restart_every": self.restart_every,
            "width": self.width,
            "processes": self.processes,
            "workers": self.workers,
            "network": "namespace" if self.network.prefix else "loopback",
        }
