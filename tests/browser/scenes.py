"""What workers might say of their pools, and processes that say it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace

from poolware._core.histogram import WAIT_BOUNDS
from poolware.observe.rules import RULES
from poolware.observe.signals import SIGNALS
from poolware.observe.snapshot import Histogram, PoolSnapshot

STEP, POINTS = 5, 60
_SAY = """
import json, sys
from poolware.observe import Share
share = Share(sys.argv[1])
for line in sys.stdin:
    share.publish(json.loads(line))
    print("said", flush=True)
"""


def pool(name, kind="object", *, in_use=2, idle=6, quarantined=0, waiting=0, rate=20.0, hits=0.99, past=None, **more):
    """Return a pool and its past; `past` is in use over time if it was not always the same."""
    used = [*(past or [in_use] * POINTS)]
    acquired = [round(rate * STEP * place) for place in range(POINTS)]
    gauges = {"in_use": in_use, "idle": idle} | more.get("gauges", {})
    counters = {"acquired": acquired[-1], "released": acquired[-1] - in_use, "created": in_use + idle}
    history = {"in_use": used, "idle": [idle] * POINTS, "acquired": acquired}
    if kind == "resource":
        limits = {"min_size": 2, "max_size": more.get("max_size", 10)}
        queue = [0] * (POINTS - 4) + [waiting // 4, waiting // 2, waiting, waiting]
        gauges |= {"busy": 0, "creating": 0, "waiting": waiting, "wait_max": 2.1 if waiting else 0.0, "hold_max": 0.9}
        counters |= {"waits": waiting, "wait_total": 0.0, "hold_total": 1.0, "timeouts": 0, "lost": 0}
        history |= {"waiting": queue, "timeouts": [0] * POINTS, "waits": [0] * (POINTS - 1) + [waiting]}
        wait = Histogram(WAIT_BOUNDS, (acquired[-1], *[0] * len(WAIT_BOUNDS)), 0.0)
    else:
        limits, wait = {"max_idle": 1024}, None
        gauges |= {"quarantined": quarantined}
        counters |= {"hits": round(acquired[-1] * hits), "misses": round(acquired[-1] * (1 - hits)), "escaped": 0}
        history |= {
            "quarantined": [quarantined] * POINTS,
            "escaped": [0] * POINTS,
            "hits": [round(hits * count) for count in acquired],
            "misses": [round((1 - hits) * count) for count in acquired],
        }
    return PoolSnapshot(name, kind, limits, gauges, counters | more.get("counters", {}), wait=wait), history


def leak(name, kind="object", count=12, **more):
    """Return a pool of which `count` were acquired, the first four minutes ago, and none has come back since."""
    before = POINTS - 48
    past = [0] * before + [min(count, 1 + place // 3) for place in range(48)]
    snapshot, history = pool(name, kind, in_use=count, rate=0, past=past, **more)
    history["acquired"] = [100 + taken for taken in past]
    return replace(snapshot, counters=snapshot.counters | {"acquired": 100 + count}), history


def exhausted(name, waiting=14, size=5, **more):
    """Return a pool of which everything is in use while others wait."""
    past = [2 + (place * 7) % 3 for place in range(POINTS - 6)] + [size] * 6
    return pool(name, "resource", in_use=size, idle=0, waiting=waiting, max_size=size, past=past, **more)


def alert(rule, name, kind, value):
    """Return an alert that fires."""
    (known,) = [one for one in RULES if one.name == rule]
    return {
        "rule": rule, "severity": known.severity, "pool": name, "kind": kind, "state": "firing", "value": value,
        "threshold": known.threshold, "says": SIGNALS[known.signal].says, "advice": known.advice,
    }  # fmt: skip


def saying(pools, alerts=(), at=None, points=POINTS):
    """Return what a worker with these pools publishes, with so many moments of the past."""
    at = time.time() if at is None else at
    return {
        "time": at,
        "every": 60.0,
        "pools": [snapshot.as_dict() for snapshot, _ in pools],
        "alerts": list(alerts),
        "history": {
            "times": [at - STEP * place for place in reversed(range(points))],
            "pools": {
                snapshot.pool: {name: values[POINTS - points :] for name, values in history.items()}
                for snapshot, history in pools
            },
        },
    }


class Worker:
    """A process that says what it is told to."""

    def __init__(self, directory):
        command = [sys.executable, "-c", _SAY, str(directory)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @property
    def pid(self):
        return self.process.pid

    def say(self, *pools, alerts=(), at=None):
        self.process.stdin.write(json.dumps(saying(pools, alerts, at)) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "said\n"

    def kill(self):
        self.process.kill()
        self.process.communicate()


@contextmanager
def workers(directory, count):
    """Have so many processes, until the end of the block."""
    crew = []
    try:
        crew += (Worker(directory) for _ in range(count))
        yield crew
    finally:
        for worker in crew:
            worker.kill()
