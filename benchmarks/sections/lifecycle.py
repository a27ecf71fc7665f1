"""Begin and finish a request on its scope, beside building the object and keeping it there meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.groups import Comparison, Group
from benchmarks.subjects import NAMES, TenOfRequest
from poolware import Lifecycle

WORKS = {"nothing dirtied": ("", 0.55), "4 fields and a dict entry written": ("four_and_entry", 0.7)}


def groups() -> Iterator[Group]:
    lifecycle = Lifecycle(TenOfRequest)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    names = NAMES | {"begin": lifecycle.begin, "finish": lifecycle.finish, "scope": scope}

    def check() -> None:
        stats = lifecycle.pool.get_stats()
        assert (stats.in_use, stats.created) == (0, 1), stats

    for work, (write, target) in WORKS.items():
        pooled, built, kept = f"begin and finish, {work}", f"slotted object, {work}", f"slotted in the scope, {work}"
        subjects = {
            pooled: f"{write}(begin(scope)); finish(scope)",
            built: f"{write}(Slotted())",
            kept: f"obj = scope['ctx'] = Slotted(); {write}(obj); del obj; scope.pop('ctx')",
        }
        comparisons = [Comparison(pooled, kept, target=target), Comparison(pooled, built)]
        yield Group(subjects, comparisons, names, check=check)
