"""What runs under valgrind: each subject N times and 2N times, whose difference is N repetitions and nothing else."""

from __future__ import annotations

import os
from itertools import cycle
from random import Random
from typing import Any

from benchmarks.rounds import timer
from benchmarks.subjects import NAMES, Ten, TenOfRequest
from poolware import Lifecycle, ObjectPool, ResourcePool
from poolware._core.histogram import BATCH, Histogram
from poolware._core.tally import new_tally
from poolware.observe.events import subscribe

LOOPS = 2000
MARK = "getsid"
"""A function of the C library that nothing else calls: callgrind ends a dump before it."""
SLOTTED, WRITTEN = "slotted object", "slotted object, 4 fields and a dict entry written"
BOTH, RESOURCE = "begin and finish", "resource, acquire and release"
SUBJECTS = {
    SLOTTED: ("Slotted()", SLOTTED),
    WRITTEN: ("four_and_entry(Slotted())", WRITTEN),
    "cycle": ("release(acquire())", SLOTTED),
    "cycle, 4 fields and a dict entry written": ("release(four_and_entry(acquire()))", WRITTEN),
    "begin and finish": ("begin(scope); finish(scope)", SLOTTED),
    "begin and finish, 4 fields and a dict entry written": ("four_and_entry(begin(scope)); finish(scope)", WRITTEN),
    "count one, called from Python": ("tick()", BOTH),
    "begin and finish, leak detection sampled": ("sampled_begin(scope); sampled_finish(scope)", BOTH),
    "begin and finish, told to a collector": ("told_begin(scope); told_finish(scope)", BOTH),
    RESOURCE: ("put(get())", RESOURCE),
    "add to a histogram": ("waiting.append(next(seconds)); len(waiting) < BATCH or fold()", RESOURCE),
    "take one from where the histogram's come from": ("next(seconds)", RESOURCE),
}
"""The statement, and the subject whose count it is compared with."""


def main() -> None:
    pool, lifecycle = ObjectPool(Ten), Lifecycle(TenOfRequest)
    names: dict[str, Any] = NAMES | {"acquire": pool.acquire, "release": pool.release}
    names |= {"begin": lifecycle.begin, "finish": lifecycle.finish}
    sampled, told = Lifecycle(TenOfRequest, leak_detection="sampled"), Lifecycle(TenOfRequest)
    subscribe(told.pool, kinds=("get", "put"))
    names |= {"sampled_begin": sampled.begin, "sampled_finish": sampled.finish}
    names |= {"told_begin": told.begin, "told_finish": told.finish}
    resources, times, random = ResourcePool(object), Histogram(), Random(1)
    names |= {"get": resources.acquire, "put": resources.release, "tick": new_tally().tick}
    names |= {"waiting": times.waiting, "fold": times.fold, "BATCH": BATCH}
    names["seconds"] = cycle([random.lognormvariate(-6, 1) for _ in range(1000)])  # 0.9 to 6.7 ms, two of three
    names["scope"] = {"type": "http", "method": "GET", "path": "/", "headers": []}
    for statement, _ in SUBJECTS.values():
        repeat = timer(statement, names)
        repeat(LOOPS)
        os.getsid(0)
        repeat(LOOPS)
        os.getsid(0)
        repeat(2 * LOOPS)
        os.getsid(0)


if __name__ == "__main__":
    main()
