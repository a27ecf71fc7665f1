"""The stores of an object pool beside the default: many threads in one pool, and objects that another thread returns.

In CPU time, which another user of the machine does not spoil: one thread runs at a time, and no store makes one wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from threading import Barrier, Thread
from time import process_time
from typing import Any, get_args

from benchmarks.groups import Comparison, Group
from benchmarks.sections.contention import timed
from benchmarks.subjects import Ten
from poolware import ObjectPool
from poolware.pools.stores import StoreName

DEFAULT, *OTHERS = get_args(StoreName)
THREADS = (1, 2, 8, 32)
BATCH = 64
"""Objects that change hands at a time, so that the handing over itself costs little."""


class Tool:
    """Any object that is no context."""

    __slots__ = ("state",)


KINDS: dict[str, Callable[..., ObjectPool[Any]]] = {
    "tools": partial(ObjectPool, Tool, reset=None),
    "contexts": partial(ObjectPool, Ten),
}


def returned_elsewhere(pool: ObjectPool[Any], loops: int) -> float:
    """Return the seconds in which one thread acquires and another releases so many objects."""
    batches = -(-loops // BATCH)
    meet, hand_over = Barrier(2), list[Any]()

    def release() -> None:
        for _ in range(batches):
            meet.wait()
            while hand_over:
                pool.release(hand_over.pop())
            meet.wait()

    thread = Thread(target=release)
    thread.start()
    began = process_time()
    for _ in range(batches):
        hand_over.extend(pool.acquire() for _ in range(BATCH))
        meet.wait()
        meet.wait()
    thread.join()
    return (process_time() - began) * loops / (batches * BATCH)


def groups() -> Iterator[Group]:
    for kind, make in KINDS.items():
        pools = {store: make(store=store, prewarm=8) for store in (DEFAULT, *OTHERS)}

        def check(pools: dict[str, ObjectPool[Any]] = pools) -> None:
            for pool in pools.values():
                stats = pool.get_stats()
                assert (stats.acquired, stats.in_use, stats.refused) == (stats.released, 0, 0), stats

        for threads in THREADS:
            name = f"{kind}, {threads} threads, {{}}"
            yield _group(
                name, {store: partial(timed, pool, threads, clock=process_time) for store, pool in pools.items()}, check
            )
        timers = {store: partial(returned_elsewhere, pool) for store, pool in pools.items()}
        yield _group(f"{kind}, returned by another thread, {{}}", timers, check)


def _group(name: str, timers: dict[str, Callable[[int], float]], check: Callable[[], None]) -> Group:
    comparisons = [Comparison(name.format(store), name.format(DEFAULT)) for store in (DEFAULT, *OTHERS)]
    subjects = {name.format(store): timer for store, timer in timers.items()}
    return Group(dict(subjects), comparisons, stretch=6, repeat=0.25, check=check)
