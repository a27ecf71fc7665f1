"""One process's pool, one request after the other in the order in which they come."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from poolware.sizing.draws import Floats

if TYPE_CHECKING:
    from poolware.sizing.simulate import Scenario

Growth = Literal["when_empty", "watermark", "lease_rate"]


class Run(NamedTuple):
    """What happened, in seconds: a request's times stand at the same place in the first three."""

    arrivals: Floats
    starts: Floats
    ends: Floats
    created: Floats
    """When each object began to be built; from then on it counts, as a connection does for the database."""
    destroyed: Floats
    hits: int


def run_process(arrivals: Floats, holds: Floats, scenario: Scenario) -> Run:
    """Serve requests first come, first served.

    `busy` has the time at which each object that is lent, promised or being built comes free. A request that has to
    wait takes the earliest of them and puts its own end there instead, so that one pass over the arrivals is enough
    (J. Kiefer and J. Wolfowitz, "On the theory of queues with many servers", 1955).
    """
    waits = scenario.when_empty == "wait"
    most, least, create = scenario.max_size, scenario.min_size, scenario.create_s
    timeout = math.inf if scenario.idle_timeout_s is None else scenario.idle_timeout_s
    ahead = _ahead(scenario)
    busy: list[float] = []
    idle: deque[float] = deque([0.0] * least)  # since when, the longest first; the last one is lent first
    starts: list[float] = []
    created: list[float] = []
    destroyed: list[float] = []
    hits = returned = 0
    for now, hold in zip(arrivals.tolist(), holds.tolist(), strict=True):
        while busy and busy[0] <= now:
            free = heappop(busy)
            returned += 1
            if len(idle) < most:
                idle.append(free)
            else:
                destroyed.append(free)
        while idle and idle[0] + timeout <= now and len(idle) + len(busy) > least:
            destroyed.append(idle.popleft() + timeout)
        start = now
        if idle:
            idle.pop()
            hits += 1
        elif waits:
            if len(busy) < most:
                created.append(now)
                heappush(busy, now + create)
            start = max(now, heappop(busy))
        else:
            created.append(now)
            start = now + create
        heappush(busy, start + hold)
        starts.append(start)
        if ahead is not None:
            for _ in range(ahead.missing(now, len(idle), len(busy), returned)):
                created.append(now)
                heappush(busy, now + create)
            returned = 0
    begun = np.array(starts)
    return Run(arrivals, begun, begun + holds, np.array(created), np.array(destroyed), hits)


class _Ahead(ABC):
    """Decides after each request how many more to build in the background."""

    def __init__(self, scenario: Scenario) -> None:
        self._create, self._most = scenario.create_s, scenario.max_size
        self._ready: deque[float] = deque()  # when those that are being built ahead can be used

    def missing(self, now: float, idle: int, busy: int, returned: int) -> int:
        """Return how many to build; `returned` came free since the last call, built ones among them."""
        while self._ready and self._ready[0] <= now:
            self._ready.popleft()
            returned -= 1
        wanted = math.ceil(self._wanted(now, idle + busy, returned)) - idle - len(self._ready)
        more = max(0, min(wanted, self._most - idle - busy))
        self._ready.extend([now + self._create] * more)
        return more

    @abstractmethod
    def _wanted(self, now: float, size: int, returned: int) -> float:
        """Return how many are to be spare or coming, given how many exist."""


class _Watermark(_Ahead):
    """A share of all objects is to be spare."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._share = scenario.ahead

    def _wanted(self, _now: float, size: int, _returned: int) -> float:
        return self._share * size


class _LeaseRate(_Ahead):
    """As many as will be missing after the horizon if leases outnumber returns as they did of late.

    Both are counted with a weight that falls by the same share in each second, to 1/e within the horizon.
    """

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._horizon = scenario.horizon_s
        self._net = self._last = 0.0

    def _wanted(self, now: float, _size: int, returned: int) -> float:
        self._net = self._net * math.exp((self._last - now) / self._horizon) + 1 - returned
        self._last = now
        return self._net


def _ahead(scenario: Scenario) -> _Ahead | None:
    match scenario.growth:
        case "watermark":
            return _Watermark(scenario)
        case "lease_rate":
            return _LeaseRate(scenario)
        case _:
            return None
