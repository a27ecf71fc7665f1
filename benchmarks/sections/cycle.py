"""Acquire, use and release a context, beside building what it replaces.

The context is written to by a function, as by a handler, and nobody holds it at its release. The last group shows what
a variable costs that still does: one that is gone when the next context is acquired, and one that is not, as in a loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.groups import Comparison, Group
from benchmarks.subjects import NAMES, NAMESPACE, WRITES, Ten
from poolware import ObjectPool

TARGETS = {"nothing dirtied": 0.35, "4 fields and a dict entry written": 0.55}


def held(acquire: Any, release: Any) -> None:
    ctx = acquire()
    release(ctx)


def groups() -> Iterator[Group]:
    pool = ObjectPool(Ten)
    names = NAMES | {"acquire": pool.acquire, "release": pool.release}

    def check() -> None:
        stats = pool.get_stats()
        assert (stats.in_use, stats.dropped) == (0, 0), stats
        assert stats.created <= 2, stats  # the second one: a variable still held the first

    calls = {"nothing dirtied": ""} | {work: write.__name__ for work, write in WRITES.items()}
    for work, write in calls.items():
        cycle, slotted, namespace = f"cycle, {work}", f"slotted object, {work}", f"SimpleNamespace, {work}"
        subjects = {
            cycle: f"release({write}(acquire()))",
            slotted: f"{write}(Slotted())",
            namespace: f"{write}({NAMESPACE})",
        }
        comparisons = [Comparison(cycle, slotted, target=TARGETS.get(work)), Comparison(cycle, namespace)]
        yield Group(subjects, comparisons, names, check=check)
    once, on, slotted = "cycle, held at its release", "cycle, held until the next", "slotted object, nothing dirtied"
    subjects = {
        once: "held(acquire, release)",
        on: "ctx = acquire(); release(ctx)",
        slotted: "Slotted()",
    }
    yield Group(subjects, [Comparison(once, slotted), Comparison(on, slotted)], names | {"held": held}, check=check)
