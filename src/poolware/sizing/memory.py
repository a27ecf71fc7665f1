"""Memory of the two ways: what one object takes, and what a process is left with after many."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from poolware.sizing.subject import Subject

__all__ = ["Churn", "Memory", "churned", "memory_of"]

_OBJECTS = 16
_PATIENCE_S = 120


@dataclass(frozen=True, slots=True)
class Memory:
    """What one use of an object allocates from Python. What C libraries allocate by themselves is not seen."""

    allocations: float
    """Blocks that a use leaves behind until the object ends."""
    bytes: int
    """At the highest point of a use."""


@dataclass(frozen=True, slots=True)
class Churn:
    """Two processes, one for each way, before and after many uses, each use among allocations that outlive it."""

    uses: int
    fresh_s: float
    """Seconds a use, roughly, with so many in use at once that malloc gives memory back and asks for it again."""
    pooled_s: float
    fresh_bytes: int
    """By how much resident memory has grown when all objects are gone: fragments, and what malloc keeps."""
    pooled_bytes: int
    """The same with the pool's objects at rest in it."""
    fresh_peak_bytes: int
    """By how much it had grown at its highest point."""
    pooled_peak_bytes: int


def memory_of(subject: Subject) -> tuple[Memory, Memory]:
    """Return what one use allocates, fresh and pooled."""
    pool = subject.pool()
    tracing = tracemalloc.is_tracing()
    if not tracing:
        tracemalloc.start(1)
    try:
        nothing = _traced(bool, _ignore, _ignore)  # what the measuring itself allocates
        fresh = _traced(subject.make, subject.work, subject.end)
        _traced(pool.acquire, subject.work, pool.release)  # builds what it then has
        pooled = _traced(pool.acquire, subject.work, pool.release)
    finally:
        if not tracing:
            tracemalloc.stop()
    subject.empty(pool)
    return _less(fresh, nothing), _less(pooled, nothing)


class _Traced(NamedTuple):
    blocks: float
    living: float
    peak: float


def _traced(begin: Callable[[], Any], work: Callable[[Any], object], end: Callable[[Any], object]) -> _Traced:
    objects: list[Any] = [None] * _OBJECTS
    peaks = [0] * _OBJECTS
    gc.collect()
    blocks, bytes_before = len(tracemalloc.take_snapshot().traces), tracemalloc.get_traced_memory()[0]
    for place in range(_OBJECTS):
        tracemalloc.reset_peak()
        start = tracemalloc.get_traced_memory()[0]
        objects[place] = begin()
        work(objects[place])
        peaks[place] = tracemalloc.get_traced_memory()[1] - start
    living = tracemalloc.get_traced_memory()[0] - bytes_before
    blocks = len(tracemalloc.take_snapshot().traces) - blocks
    while objects:
        end(objects.pop())
    return _Traced(blocks / _OBJECTS, living / _OBJECTS, median(peaks))


def _less(traced: _Traced, nothing: _Traced) -> Memory:
    """What a use takes by itself. The peak does not show the first hundred bytes: the measuring takes them as well."""
    blocks, living, peak = (max(0.0, one - other) for one, other in zip(traced, nothing, strict=True))
    return Memory(round(blocks, 1), round(max(living, peak)))


def _ignore(_obj: object) -> None:
    """Neither use nor end."""


def churned(
    target: str, *, reset: str | None = None, use: str | None = None, used_bytes: int = 0, uses: int = 20_000
) -> Churn | None:
    """Return what happens to a process that builds many, and to one that pools them; None where that cannot be told.

    Arguments are import paths, as for `poolware.sizing.targets.load`: each of the two runs in a process of its own.
    """
    order = {"target": target, "reset": reset, "use": use, "used_bytes": used_bytes}
    found = []
    for way in ("fresh", "pooled"):
        run = subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, "-m", "poolware.sizing.churn", json.dumps(order | {"way": way, "uses": uses})],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        if run.returncode != 0 or not run.stdout.strip():
            return None
        found.append(json.loads(run.stdout.splitlines()[-1]))
        uses = found[-1]["uses"]
    fresh, pooled = found
    return Churn(
        uses, fresh["seconds"], pooled["seconds"], fresh["left"], pooled["left"], fresh["peak"], pooled["peak"]
    )
