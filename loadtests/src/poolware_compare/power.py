"""How far the verdicts can be trusted: `python -m poolware_compare.power`.

Ten runs, each with three servers of the same application: two equal ones, and one that is five per cent slower. It
counts how often the equal ones came out different, and how often the slow one was found.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click

from poolware_compare import cores, environment, scenarios
from poolware_compare.apps import kits, slowed
from poolware_compare.arms import Arm
from poolware_compare.comparison import beside, compare
from poolware_compare.driver.client import Driver
from poolware_compare.driver.order import Load
from poolware_compare.parameters import Finite
from poolware_compare.plan import Case, Plan
from poolware_compare.progress import Progress
from poolware_compare.ratios import costs, ratio
from poolware_compare.rounds import Round
from poolware_compare.statistics import Interval, interval, verdict

APP = "poolware_compare.apps.slowed:app"


@dataclass(frozen=True)
class Run:
    """One run: the ratio of two equal servers, that of the slow one, and what was said of it."""

    equal: Interval
    slow: Interval
    verdict: str


def arms(burn_us: float) -> list[Arm]:
    """Return two equal arms, and one that burns some time."""
    variables = {kits.VARIABLE: "plain"}
    slow = Arm("slow", APP, {**variables, slowed.BURN: f"{burn_us:.3f}"})
    return [Arm("A", APP, variables), Arm("A'", APP, variables), slow]


def one(plan: Plan, driver: Driver, case: Case, watcher: Progress) -> tuple[Run, float]:
    """Do one run; return it with what a request of an equal server cost, in µs."""
    rounds: list[Round] = []
    compare(plan, driver, case, rounds, watcher)
    equal, slow = ratio(rounds, "A'", "A"), ratio(rounds, "slow", "A")
    assert equal is not None
    assert slow is not None
    base = interval(costs([entry for entry in rounds if entry.arm == "A"])).median
    return Run(equal, slow, verdict(slow, equal)), base


def summary(runs: list[Run], percent: float) -> list[str]:
    """Return what the runs show."""
    different = sum(not run.equal.contains_one for run in runs)
    found = sum(run.slow.low > 1 for run in runs)
    said = sum(run.verdict == "loss" for run in runs)
    return [
        *(f"A'/A {run.equal}   slow/A {run.slow}   {run.verdict}" for run in runs),
        f"equal servers came out different in {different} of {len(runs)} runs",
        f"a slowdown of {percent:g} % was found in {found} of {len(runs)} runs, and called a loss in {said}",
    ]


@click.command()
@click.option("--runs", type=click.IntRange(1), default=10, show_default=True)
@click.option("--percent", type=Finite(0.1, 100), default=5.0, show_default=True)
@click.option("--scenario", type=click.Choice(list(scenarios.BY_NAME)), default="context:plain", show_default=True)
@click.option("--rounds", type=click.IntRange(2), default=120, show_default=True)
@click.option("--seconds", type=Finite(0.05), default=0.1, show_default=True)
@click.option(
    "--width", type=Finite(0.1, 100), default=2.5, show_default=True, help="Per cent; rounds are added until …"
)
@click.option("--time-limit", type=Finite(1), default=300.0, show_default=True, help="… or a run took so many seconds.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=Path("build/power.json"))
def main(
    *,
    runs: int,
    percent: float,
    scenario: str,
    rounds: int,
    seconds: float,
    width: float,
    time_limit: float,
    out: Path,
) -> None:
    """Count how often equal servers come out different, and how often a slow one is found."""
    (chosen,) = scenarios.named(scenario)
    where = environment.describe()
    case = Case("starlette", "uvicorn", chosen, arms(0))
    plan = Plan(
        cases=[case],
        load=Load(16, seconds),
        rounds=rounds,
        width=width / 100,
        limit_s=time_limit,
        cores=cores.choose(),
    )
    short = replace(plan, rounds=plan.restart_every, width=None)
    done: list[Run] = []
    base = 0.0
    watcher = Progress(len(case.arms) * (rounds * runs + short.rounds))
    try:
        with beside(plan) as driver:
            watcher.begin("what a request costs")
            _, base = one(short, driver, case, watcher)
            slowing = replace(case, arms=arms(base * percent / 100))
            for number in range(runs):
                watcher.begin(f"run {number + 1}")
                done.append(one(plan, driver, slowing, watcher)[0])
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
    finally:
        watcher.close()
    click.echo("\n".join(summary(done, percent)))
    figures = {"environment": asdict(where), "percent": percent, "base_us": base, "runs": [asdict(run) for run in done]}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
