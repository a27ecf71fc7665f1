"""The time that a cycle takes on average with many threads in one pool, beside one thread.

By the clock on the wall: what threads wait for each other counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from threading import Barrier, Thread
from typing import Any

from pyperf import perf_counter

from benchmarks.groups import Comparison, Group
from benchmarks.subjects import Ten
from poolware import ObjectPool

THREADS = (2, 8, 32)
THROUGHPUT = 0.9
"""What of one thread's cycles per second is to be left with 32 threads."""


def timed(pool: ObjectPool[Any], threads: int, loops: int, clock: Callable[[], float] = perf_counter) -> float:
    """Return the seconds for `loops` cycles, shared among so many threads."""
    each = -(-loops // threads)
    start = Barrier(threads + 1)

    def cycles() -> None:
        acquire, release = pool.acquire, pool.release
        start.wait()
        for _ in range(each):
            release(acquire())

    running = [Thread(target=cycles) for _ in range(threads)]
    for thread in running:
        thread.start()
    began = clock()
    start.wait()
    for thread in running:
        thread.join()
    return (clock() - began) * loops / (each * threads)


def groups() -> Iterator[Group]:
    pool = ObjectPool(Ten)

    def check() -> None:
        stats = pool.get_stats()
        assert (stats.acquired, stats.in_use, stats.refused) == (stats.released, 0, 0), stats
        assert stats.created == stats.idle + stats.dropped, stats

    comparisons = [
        Comparison(f"{threads} threads", "1 thread", target=1 / THROUGHPUT if threads == 32 else None)
        for threads in THREADS
    ]
    subjects = {"1 thread": partial(timed, pool, 1)}
    subjects |= {f"{threads} threads": partial(timed, pool, threads) for threads in THREADS}
    yield Group(dict(subjects), comparisons, stretch=20, repeat=0.25, check=check)
