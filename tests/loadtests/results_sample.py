"""Results as a comparison would leave them, without running one."""

from dataclasses import replace
from typing import Any

from poolware_compare import results as kept
from poolware_compare import scenarios
from poolware_compare.arms import of_ours
from poolware_compare.comparison import Collected
from poolware_compare.driver.order import Load
from poolware_compare.environment import Environment
from poolware_compare.latency import new_histogram
from poolware_compare.plan import Case, Plan
from poolware_compare.rounds import Round

ENVIRONMENT = Environment("a <CPU>", 2, 0.1, "Linux", "CPython 3.11.7", "python", "abc", {"locust": "2"}, [])
HISTOGRAM = new_histogram()
HISTOGRAM.record_value(1500)
ROUND = Round(
    arm="",
    block=0,
    start=0,
    requests=100,
    late=0,
    cpu_us_per_request=0.0,
    requests_per_second=400.0,
    minor_faults_per_request=0.5,
    rss_mib=50.0,
    collections=1,
    pause_ms=0.5,
    longest_pause_ms=0.5,
    driver_busy=0.4,
    pools={"idle": {"acquired": 0}, "used": {"acquired": 7}},
    histogram=HISTOGRAM.encode().decode(),
)


def case(scenario: str = "context:plain", arms: tuple[str, ...] = ("plain", "on")) -> Case:
    return Case("starlette", "uvicorn", scenarios.BY_NAME[scenario], of_ours("module:app", arms))


def rounds(costs: dict[str, float], count: int = 8, **changes: Any) -> list[Round]:
    """Rounds of each arm, with a little noise around its cost."""
    noise = (1.0, 1.01, 0.99, 1.005)
    return [
        replace(ROUND, arm=arm, block=n, start=n // 2, cpu_us_per_request=cost * noise[n % 4], **changes)
        for n in range(count)
        for arm, cost in costs.items()
    ]


def sample(costs: dict[str, float] | None = None, *, equal: float = 1.0, **changes: Any) -> kept.Results:
    """One case, and a control in which the second server cost `equal` times as much as the first."""
    costs = costs or {"plain": 100.0, "on": 50.0}
    one = case(arms=tuple(costs))
    plan = Plan(cases=[one], load=Load(16, 0.25), rounds=8)
    control = [replace(entry, cpu_us_per_request=100.0 + n % 3) for n, entry in enumerate(rounds({"A": 1}))]
    twins = [
        replace(entry, arm="A'", cpu_us_per_request=(100.0 + (n + 1) % 3) * equal) for n, entry in enumerate(control)
    ]
    collected = Collected({"starlette": [*control, *twins]}, [(one, rounds(costs, **changes))])
    return kept.summarise(plan, collected, ENVIRONMENT, partial=False, object_us={})
