"""What runs under valgrind: each subject N times and 2N times, whose difference is N repetitions and nothing else."""

from __future__ import annotations

import os
from typing import Any

from benchmarks.rounds import timer
from benchmarks.subjects import NAMES, Ten, TenOfRequest
from poolware import Lifecycle, ObjectPool

LOOPS = 2000
MARK = "getsid"
"""A function of the C library that nothing else calls: callgrind ends a dump before it."""
SLOTTED, WRITTEN = "slotted object", "slotted object, 4 fields and a dict entry written"
SUBJECTS = {
    SLOTTED: ("Slotted()", SLOTTED),
    WRITTEN: ("four_and_entry(Slotted())", WRITTEN),
    "cycle": ("release(acquire())", SLOTTED),
    "cycle, 4 fields and a dict entry written": ("release(four_and_entry(acquire()))", WRITTEN),
    "begin and finish": ("begin(scope); finish(scope)", SLOTTED),
    "begin and finish, 4 fields and a dict entry written": ("four_and_entry(begin(scope)); finish(scope)", WRITTEN),
}
"""The statement, and the subject whose count it is compared with."""


def main() -> None:
    pool, lifecycle = ObjectPool(Ten), Lifecycle(TenOfRequest)
    names: dict[str, Any] = NAMES | {"acquire": pool.acquire, "release": pool.release}
    names |= {"begin": lifecycle.begin, "finish": lifecycle.finish}
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
