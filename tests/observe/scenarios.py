"""Pools that are well, and then are not: one scenario for each rule, for this process and for Prometheus."""

from dataclasses import dataclass, field

from poolware._core.histogram import WAIT_BOUNDS
from poolware.observe.snapshot import Histogram, PoolSnapshot

STEP = 5.0


@dataclass
class State:
    """What a pool looks like for a while: gauges, and by how much counters grow a second."""

    gauges: dict = field(default_factory=dict)
    rates: dict = field(default_factory=dict)
    slow: float = 0.0
    """Acquisitions a second that wait for 0.2 s."""


@dataclass
class Scenario:
    kind: str
    good: State
    bad: State


def resource(gauges_bad=None, rates_bad=None, slow=0.0):
    good = {"in_use": 5, "idle": 2, "busy": 0, "waiting": 0}
    rates = {"acquired": 10}
    return Scenario("resource", State(good, rates), State(good | (gauges_bad or {}), rates | (rates_bad or {}), slow))


def memory(kind, gauges_bad=None, rates_bad=None):
    good = {"in_use": 1, "idle": 10, "quarantined": 0, "idle_bytes": 1e6}
    rates = {"acquired": 10, "hits": 10, "misses": 0, "created": 0, "dropped": 0}
    return Scenario(kind, State(good, rates), State(good | (gauges_bad or {}), rates | (rates_bad or {})))


SCENARIOS = {
    "PoolwareHighUtilisation": resource({"in_use": 9}),
    "PoolwareAtMaximum": resource({"in_use": 10}),
    "PoolwareNothingIdle": resource({"idle": 0}),
    "PoolwareCallersWaiting": resource({"waiting": 1}),
    "PoolwareExhausted": resource(rates_bad={"waits": 1}),
    "PoolwareSlowAcquire": resource(slow=1.0),
    "PoolwareTimeouts": resource(rates_bad={"timeouts": 0.2}),
    "PoolwareLowHitRate": memory("object", rates_bad={"hits": 4, "misses": 6}),
    "PoolwareHighMissRate": memory("buffer", rates_bad={"hits": 4, "misses": 6}),
    "PoolwareRateSwing": memory("object", rates_bad={"acquired": 100, "hits": 100}),
    "PoolwareChurn": memory("object", rates_bad={"created": 5, "dropped": 5}),
    "PoolwareValidationFailuresRise": resource(rates_bad={"validation_failures": 0.2}),
    "PoolwareEscapes": memory("object", rates_bad={"escaped": 0.2}),
    "PoolwareHuge": memory("object", {"idle": 20_000}),
    "PoolwareMemory": memory("buffer", {"idle_bytes": 2e8}),
}
COUNTED = ("waits", "turned_away", "timeouts", "validation_failures", "escaped")


class World:
    """One pool whose time passes in steps of five seconds."""

    def __init__(self, kind):
        self.kind = kind
        self.at = 1000.0
        self.counters = dict.fromkeys(COUNTED, 0.0)
        self.waits = [0.0] * (len(WAIT_BOUNDS) + 1)

    def step(self, state):
        """Let time pass; return what a look at the pool shows then."""
        self.at += STEP
        for name, rate in state.rates.items():
            self.counters[name] = self.counters.get(name, 0.0) + rate * STEP
        self.waits[0] += (state.rates["acquired"] - state.slow) * STEP
        self.waits[WAIT_BOUNDS.index(0.25)] += state.slow * STEP
        limits = {"max_size": 10} if self.kind == "resource" else {"max_idle": 1024}
        wait = Histogram(WAIT_BOUNDS, tuple(map(round, self.waits)), 0.0) if self.kind == "resource" else None
        return PoolSnapshot("p", self.kind, limits, dict(state.gauges), dict(self.counters), wait=wait)
