"""Live pools under loads that change, with each strategy: what an acquisition pays, and what memory it takes.

``python -m benchmarks.growth`` prints the table for docs/growth.md. The load comes from one thread, as from an event
loop; the pools are looked after by their own heartbeat. What an acquisition pays is the CPU time of its thread, which
another user of the machine does not spoil.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from statistics import median
from typing import Any
from zlib import DEFLATED, compressobj

from poolware import Block, DynamicSizing, Fixed, LeaseRate, ObjectPool, TinyStep, Watermark

TICK = 0.005
ROUNDS = 3
SIZE = 512 * 1024
MIB = 1024 * 1024


class Workspace:
    """What is worth pooling: half a megabyte of memory that is written to once, and a compressor."""

    alive = 0
    peak = 0

    def __init__(self) -> None:
        self.memory = bytearray(b"\1") * SIZE
        self.compressor = compressobj(6, DEFLATED, 15, 9)
        cls = type(self)
        cls.alive += 1
        cls.peak = max(cls.peak, cls.alive)

    def __del__(self) -> None:
        type(self).alive -= 1


LOADS: dict[str, tuple[float, Callable[[float], float]]] = {
    "ramp": (4.0, lambda at: 20 + 30 * at),
    "step": (6.0, lambda at: 100 if 1 <= at < 3 else 20),
    "burst": (6.0, lambda at: 200 if 1 <= at < 1.2 or 2 <= at < 2.2 else 20),
    "diurnal": (8.0, lambda at: 70 - 50 * math.cos(at * 2 * math.pi / 3) if at < 6 else 20),
}
"""How long it lasts, and how many workspaces are in use at which second."""
WARM_UP = 0.5
TIMEOUT = 1.0
STRATEGIES: dict[str, dict[str, Any]] = {
    "when_empty, no idle timeout": {"idle_timeout": None},
    "when_empty": {},
    "Watermark(0.25), Block(0.25)": {"growth": Watermark(0.25, Block(0.25), period=0.02)},
    "Watermark(0.25), TinyStep()": {"growth": Watermark(0.25, TinyStep(), period=0.02)},
    "Watermark(0.25), Fixed(8)": {"growth": Watermark(0.25, Fixed(8), period=0.02)},
    "LeaseRate(0.5)": {"growth": LeaseRate(0.5)},
    "DynamicSizing(period=0.2)": {"sizing": DynamicSizing(period=0.2)},
    "store gc_victims": {"store": "gc_victims", "idle_timeout": None},
    "prewarm=230": {"prewarm": 230, "idle_timeout": None},
}


@dataclass
class Outcome:
    """One run. Times are microseconds, memory is MiB."""

    hits: int = 0
    misses_after_warm_up: int = 0
    pauses: list[float] = field(default_factory=list)
    start: float = 0.0
    peak: float = 0.0
    final: float = 0.0


def run(seconds: float, in_use: Callable[[float], float], strategy: dict[str, Any]) -> Outcome:
    """Put the load on a new pool."""
    outcome, held, misses = Outcome(), list[Workspace](), 0
    Workspace.peak = 0
    pool = ObjectPool(Workspace, reset=None, name="growth", **({"prewarm": 25, "idle_timeout": TIMEOUT} | strategy))
    began = time.perf_counter()
    while (at := time.perf_counter() - began) < seconds:
        if at < WARM_UP:
            misses, outcome.start = pool.get_stats().misses, Workspace.alive * SIZE / MIB
        for _ in range(len(held) // 5):  # requests come and go
            pool.release(held.pop(0))
        target = round(in_use(at))
        while len(held) > target:
            pool.release(held.pop(0))
        while len(held) < target:
            before = time.thread_time()
            held.append(pool.acquire())
            outcome.pauses.append((time.thread_time() - before) * 1e6)
        time.sleep(max(0.0, TICK - (time.perf_counter() - began - at)))
    while held:
        pool.release(held.pop())
    until = time.perf_counter() + 2.5 * TIMEOUT
    while time.perf_counter() < until:  # as at night: nothing but the heartbeat, and a collection now and then
        time.sleep(TIMEOUT / 2)
        gc.collect()
    stats = pool.get_stats()
    outcome.hits, outcome.misses_after_warm_up = stats.hits, stats.misses - misses
    outcome.peak, outcome.final = Workspace.peak * SIZE / MIB, Workspace.alive * SIZE / MIB
    pool.close()
    return outcome


def main() -> None:
    print("| load | strategy | hit rate | misses after warm-up | p99 | largest pause | start | peak | final |")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|")
    rows = [(load, strategy) for load in LOADS for strategy in STRATEGIES]
    for load, pairs in groupby(rows, key=lambda row: row[0]):
        for _, strategy in pairs:
            runs = [run(*LOADS[load], STRATEGIES[strategy]) for _ in range(ROUNDS)]
            acquired = sum(len(outcome.pauses) for outcome in runs)
            rate = sum(outcome.hits for outcome in runs) / acquired
            pauses = [sorted(outcome.pauses) for outcome in runs]
            worst, late = (median(some[place(len(some))] for some in pauses) for place in (_last, _late))
            memory = [median(getattr(outcome, name) for outcome in runs) for name in ("start", "peak", "final")]
            misses = median(outcome.misses_after_warm_up for outcome in runs)
            figures = [f"{rate:.2%}", f"{misses:,.0f}", f"{late:,.1f} µs", f"{worst:,.0f} µs"]
            figures += [f"{mib:.0f} MiB" for mib in memory]
            print(f"| {load} | {strategy} | {' | '.join(figures)} |", flush=True)


def _last(count: int) -> int:
    return count - 1


def _late(count: int) -> int:
    return int(count * 0.99)


if __name__ == "__main__":
    main()
