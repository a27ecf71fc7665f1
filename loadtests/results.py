"""The result of a comparison, and the file it is kept in.

`results.json` holds, in this order:

    schema       1
    partial      true if the run was interrupted; arms and scenarios without a single round are left out
    created      when it was written, ISO 8601 with offset
    environment  cpu, cores, load_average, platform, python, git_revision, packages {name: version}, notes [text]
    settings     scenarios [name], arms {name: {app, variables}}, baseline (arm), users, seconds, rounds
    control      the A/A control, null if it was not reached: scenario, arm,
                 ratio {median, low, high, rounds}   CPU per request of two servers of the same arm
                 contains_one                        false: the two equal servers came out different
                 smallest_claim_percent              differences up to this size are called `no difference`
    scenarios    {scenario: {arms: {arm: …}, ratios: {"plain/on": …}, verdicts: {arm: …}}}
        arms     requests (total), cpu_us_per_request {median, low, high, rounds [µs of each round]},
                 requests_per_second (median), minor_faults_per_request (median), rss_mib (after the last round),
                 latency_ms {p50, p95, p99, max} of all responses of all rounds
        ratios   "A/B": {median, low, high, rounds} of A's CPU per request over B's, paired block by block; for every
                 ordered pair of arms. 2.0 for "plain/on" means that plain costs twice as much.
        verdicts gain, no difference or loss of each arm against the baseline

`low` and `high` bound the 95 % bootstrap interval of the median.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import permutations
from pathlib import Path
from statistics import median
from typing import Any

from loadtests.comparison import Collected, Plan
from loadtests.environment import Environment
from loadtests.latency import merged, percentiles_ms
from loadtests.rounds import Round
from loadtests.statistics import Interval, interval, smallest_claim, verdict


@dataclass(frozen=True)
class Cost:
    """CPU microseconds per request: the median with its interval, and those of each round."""

    median: float
    low: float
    high: float
    rounds: list[float]


@dataclass(frozen=True)
class ArmResult:
    """What one arm cost in one scenario."""

    requests: int
    cpu_us_per_request: Cost
    requests_per_second: float
    minor_faults_per_request: float
    rss_mib: float
    latency_ms: dict[str, float]


@dataclass(frozen=True)
class ScenarioResult:
    """The arms of one scenario, compared."""

    arms: dict[str, ArmResult]
    ratios: dict[str, Interval]
    verdicts: dict[str, str]


@dataclass(frozen=True)
class Control:
    """Two servers of the same arm, compared."""

    scenario: str
    arm: str
    ratio: Interval
    contains_one: bool
    smallest_claim_percent: float


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that `results.json` holds; see the module's docstring."""

    schema: int = 1
    partial: bool
    created: str = field(default_factory=lambda: datetime.now().astimezone().isoformat(timespec="seconds"))
    environment: Environment
    settings: dict[str, Any]
    control: Control | None
    scenarios: dict[str, ScenarioResult]

    def write(self, path: Path) -> None:
        """Write the results as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def summarise(plan: Plan, collected: Collected, environment: Environment, *, partial: bool) -> Results:
    """Turn rounds into results; works on any part of a run."""
    control = _control(plan, collected.control)
    least = control.smallest_claim_percent / 100 if control else 0.0
    scenarios = {
        name: _scenario([entry for entry in collected.rounds if entry.scenario == name], plan.baseline, least)
        for name in dict.fromkeys(entry.scenario for entry in collected.rounds)
    }
    return Results(
        partial=partial, environment=environment, settings=plan.settings(), control=control, scenarios=scenarios
    )


def _control(plan: Plan, rounds: Sequence[Round]) -> Control | None:
    ratios = _ratios(rounds)
    if not ratios:
        return None
    ratio = next(iter(ratios.values()))
    percent = 100 * smallest_claim(ratio)
    return Control(plan.scenarios[0], plan.baseline, ratio, ratio.contains_one, percent)


def _scenario(rounds: Sequence[Round], baseline: str, least: float) -> ScenarioResult:
    names = list(dict.fromkeys(entry.arm for entry in sorted(rounds, key=lambda entry: entry.block)))
    arms = {name: _arm([entry for entry in rounds if entry.arm == name]) for name in names}
    ratios = _ratios(rounds)
    verdicts = {name: verdict(ratios[f"{name}/{baseline}"], least) for name in names if f"{name}/{baseline}" in ratios}
    return ScenarioResult(arms, ratios, verdicts)


def _arm(rounds: Sequence[Round]) -> ArmResult:
    costs = [entry.cpu_us_per_request for entry in rounds]
    cost = interval(costs)
    return ArmResult(
        requests=sum(entry.requests for entry in rounds),
        cpu_us_per_request=Cost(cost.median, cost.low, cost.high, costs),
        requests_per_second=median(entry.requests_per_second for entry in rounds),
        minor_faults_per_request=median(entry.minor_faults_per_request for entry in rounds),
        rss_mib=rounds[-1].rss_mib,
        latency_ms=percentiles_ms(merged(entry.histogram for entry in rounds)),
    )


def _ratios(rounds: Sequence[Round]) -> dict[str, Interval]:
    costs: dict[str, dict[int, float]] = {}
    for entry in rounds:
        costs.setdefault(entry.arm, {})[entry.block] = entry.cpu_us_per_request
    ratios = {}
    for over, under in permutations(costs, 2):
        pairs = [costs[over][block] / costs[under][block] for block in costs[over] if block in costs[under]]
        if pairs:
            ratios[f"{over}/{under}"] = interval(pairs)
    return ratios
