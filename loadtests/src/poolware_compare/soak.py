"""A soak: one arm under a constant rate for a long time, watched for what grows."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from poolware_compare.comparison import Watcher, beside, served
from poolware_compare.driver.client import Driver
from poolware_compare.driver.order import Load, Order, Seen
from poolware_compare.latency import merged, percentiles_ms
from poolware_compare.plan import Case, Plan
from poolware_compare.servers import Server

SAMPLES = 200
SETTLE_SECONDS = 10.0
WARM_UP_SECONDS = 2.0
FEWEST_SAMPLES = 8
"""Two for each quarter: with fewer there is nothing to judge."""

ALLOWED: dict[str, tuple[float, float]] = {"rss_mib": (4.0, 0.02), "in_use": (8, 0.1), "quarantined": (8, 0.1)}
"""How much more there may be in the last quarter than in the second, by the median: absolute, or as a share."""


@dataclass(frozen=True)
class Sample:
    """What there was at one moment, over all workers; the counts are sums over all pools."""

    at_s: float
    rss_mib: float
    in_use: int
    quarantined: int
    idle: int


@dataclass
class SoakResult:
    """A soak from start to end. Flat if nothing grew and everything came back; `findings` say what did not."""

    app: str
    server: str
    scenario: str
    arm: str
    seconds: float
    requests: int = 0
    late: int = 0
    in_use_after: int = 0
    latency_ms: dict[str, float] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def flat(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.findings


def soak(plan: Plan, case: Case, result: SoakResult, watcher: Watcher) -> None:
    """Load the case's last arm and write what happens into `result`, which is valid at any moment."""
    with beside(plan) as driver, served(plan, case, [case.arms[-1]]) as (server,):
        watcher.begin(f"soak of {case.title}")
        warm_up = _order(case, server, plan.load, WARM_UP_SECONDS)
        driver.run(warm_up)
        started = time.monotonic()
        with _running(driver, _order(case, server, plan.load, plan.load.seconds)) as load:
            for _ in _moments(plan.load.seconds, load.done):
                result.samples.append(_sample(server, time.monotonic() - started))
                watcher.advance(result.arm)
            seen = load.result()
        result.requests, result.late = seen.requests, seen.late
        result.latency_ms = percentiles_ms(merged([seen.histogram]))
        result.in_use_after = _settled(server)
    result.findings = findings(result)


def findings(result: SoakResult) -> list[str]:
    """Return what grew, and what did not come back."""
    found = []
    samples = result.samples
    if len(samples) < FEWEST_SAMPLES:
        return ["it was too short to tell"]
    quarter = len(samples) // 4
    for figure, (absolute, share) in ALLOWED.items():
        values = [getattr(sample, figure) for sample in samples]
        early, late = median(values[quarter : 2 * quarter]), median(values[-quarter:])
        if late - early > max(absolute, share * early):
            found.append(f"{figure} grew from {early:.1f} in the second quarter to {late:.1f} in the last")
    if result.in_use_after:
        found.append(f"{result.in_use_after} objects were still in use {SETTLE_SECONDS:.0f} s after the last request")
    return found


def _order(case: Case, server: Server, load: Load, seconds: float) -> Order:
    scenario = case.scenario
    return Order(scenario.locustfile, list(scenario.tags), server.host, load.users, seconds, load.rate, load.shape)


@contextmanager
def _running(driver: Driver, order: Order) -> Iterator[Future[Seen]]:
    """Run a round beside the block."""
    executor = ThreadPoolExecutor(1)
    try:
        yield executor.submit(driver.run, order)
    finally:
        # After an interruption the driver is stopped later, which ends the round.
        executor.shutdown(wait=False)


def _moments(seconds: float, over: Callable[[], bool]) -> Iterator[int]:
    """Yield at even intervals until the round is over."""
    started = time.monotonic()
    number = 0
    while not over():
        yield number
        number += 1
        time.sleep(max(0.01, started + number * seconds / SAMPLES - time.monotonic()))


def _sample(server: Server, at: float) -> Sample:
    used, look = server.usage(), server.look()
    counts = (look.pooled(figure) for figure in ("in_use", "quarantined", "idle"))
    return Sample(round(at, 2), round(used.rss_bytes / 2**20, 2), *counts)


def _settled(server: Server) -> int:
    """Return what is in use when nothing comes back any more."""
    end = time.monotonic() + SETTLE_SECONDS
    while (in_use := server.look().pooled("in_use")) and time.monotonic() < end:
        time.sleep(0.1)
    return in_use
