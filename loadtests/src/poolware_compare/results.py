"""The result of a comparison, and the file it is kept in. Its fields are described in docs/load-tests.md."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from poolware_compare.comparison import Collected
from poolware_compare.environment import Environment
from poolware_compare.latency import merged, percentiles_ms
from poolware_compare.plan import Case, Plan
from poolware_compare.ratios import costs, ratios
from poolware_compare.rounds import Round
from poolware_compare.soak import SoakResult
from poolware_compare.statistics import Interval, interval, smallest_claim, verdict

SCHEMA = 2


@dataclass(frozen=True)
class Cost:
    """CPU microseconds per request: the median with its interval, and those of each round."""

    median: float
    low: float
    high: float
    rounds: list[float]


@dataclass(frozen=True)
class ArmResult:
    """What one arm cost in one case."""

    requests: int
    cpu_us_per_request: Cost
    requests_per_second: float
    late: int
    minor_faults_per_request: float
    rss_mib: float
    rss_growth_mib: float
    collections: int
    pause_ms: float
    longest_pause_ms: float
    driver_busy: float
    latency_ms: dict[str, float]
    pools: dict[str, dict[str, float]]


@dataclass(frozen=True)
class CaseResult:
    """The arms of one case, compared."""

    app: str
    server: str
    scenario: str
    baseline: str
    object_us: float | None
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
    """Everything that `results.json` holds."""

    schema: int = SCHEMA
    partial: bool
    created: str = field(default_factory=lambda: datetime.now().astimezone().isoformat(timespec="seconds"))
    environment: Environment
    settings: dict[str, Any]
    controls: dict[str, Control]
    cases: list[CaseResult]
    soak: SoakResult | None = None

    def write(self, path: Path) -> None:
        """Write the results as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def summarise(
    plan: Plan,
    collected: Collected,
    environment: Environment,
    *,
    partial: bool,
    object_us: dict[str, float],
) -> Results:
    """Turn rounds into results; works on any part of a run. `object_us`: what fresh objects of each kind cost."""
    controls = {app: control for app, case in plan.controlled().items() if (control := _control(case, collected))}
    cases = [_case(case, rounds, controls.get(case.app), object_us) for case, rounds in collected.cases if rounds]
    return Results(partial=partial, environment=environment, settings=plan.settings(), controls=controls, cases=cases)


def _control(case: Case, collected: Collected) -> Control | None:
    rounds = collected.controls.get(case.app, [])
    found = ratios(rounds, dict.fromkeys(entry.arm for entry in rounds))
    if not found:
        return None
    ratio = next(iter(found.values()))
    return Control(case.scenario.name, case.baseline, ratio, ratio.contains_one, 100 * smallest_claim(ratio))


def _case(case: Case, rounds: Sequence[Round], control: Control | None, object_us: dict[str, float]) -> CaseResult:
    measured = [arm.name for arm in case.arms if any(entry.arm == arm.name for entry in rounds)]
    arms = {name: _arm([entry for entry in rounds if entry.arm == name]) for name in measured}
    found = ratios(rounds, measured)
    against = {name: found[f"{name}/{case.baseline}"] for name in measured if f"{name}/{case.baseline}" in found}
    return CaseResult(
        app=case.app,
        server=case.server,
        scenario=case.scenario.name,
        baseline=case.baseline,
        object_us=object_us.get(case.scenario.object_kind or ""),
        arms=arms,
        ratios=found,
        verdicts={name: verdict(ratio, control.ratio if control else None) for name, ratio in against.items()},
    )


def _arm(rounds: Sequence[Round]) -> ArmResult:
    by_start = costs(rounds)
    cost = interval(by_start)
    return ArmResult(
        requests=sum(entry.requests for entry in rounds),
        cpu_us_per_request=Cost(cost.median, cost.low, cost.high, [value for values in by_start for value in values]),
        requests_per_second=median(entry.requests_per_second for entry in rounds),
        late=sum(entry.late for entry in rounds),
        minor_faults_per_request=median(entry.minor_faults_per_request for entry in rounds),
        rss_mib=rounds[-1].rss_mib,
        rss_growth_mib=median(_growths(rounds)),
        collections=sum(entry.collections for entry in rounds),
        pause_ms=sum(entry.pause_ms for entry in rounds),
        longest_pause_ms=max(entry.longest_pause_ms for entry in rounds),
        driver_busy=median(entry.driver_busy for entry in rounds),
        latency_ms=percentiles_ms(merged(entry.histogram for entry in rounds)),
        pools={name: pool for name, pool in rounds[-1].pools.items() if pool.get("acquired")},
    )


def _growths(rounds: Sequence[Round]) -> list[float]:
    """Return by how much the memory grew from the first round to the last of each start."""
    by_start: dict[int, list[float]] = {}
    for entry in rounds:
        by_start.setdefault(entry.start, []).append(entry.rss_mib)
    return [values[-1] - values[0] for values in by_start.values()]
