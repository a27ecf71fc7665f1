"""``python -m poolware.sizing.churn ORDER``: many uses in this process, then its resident memory, as JSON.

A use in a server happens among allocations that outlive it, such as cache entries: they come to lie between the blocks
that it frees, which cannot be given back then. Here a block of a random size is kept after every use, and the
thousandth one before it let go.
"""

from __future__ import annotations

import json
import random
import sys
from collections import deque
from pathlib import Path
from time import perf_counter
from typing import Any

from poolware.sizing.subject import Subject
from poolware.sizing.targets import load, load_function

_SECONDS = 0.5
_AT_ONCE = 16
_LASTING = 1000
_STATUS = Path("/proc/self/status")


def churn(subject: Subject, most: int, *, pooled: bool) -> dict[str, float]:
    """Use objects, `_AT_ONCE` at a time, and return how many, and by how many bytes the process has grown.

    Fresh ones at most for half a second; the pool then serves as many.
    """
    chance = random.Random(1)  # noqa: S311 - protects nothing
    pool = subject.pool()
    begin, end = (pool.acquire, pool.release) if pooled else (subject.make, subject.end)
    lasting: deque[bytes] = deque((bytes(chance.randrange(4096)) for _ in range(_LASTING)), maxlen=_LASTING)
    before = _resident("VmRSS")
    objects: list[Any] = []
    uses, began = 0, perf_counter()
    while uses < most and (pooled or perf_counter() < began + _SECONDS):
        uses += _AT_ONCE
        for _ in range(_AT_ONCE):
            objects.append(begin())
            subject.work(objects[-1])
            lasting.append(bytes(chance.randrange(4096)))
        while objects:
            end(objects.pop())
    seconds = (perf_counter() - began) / uses
    return {"uses": uses, "seconds": seconds, "left": _resident("VmRSS") - before, "peak": _resident("VmHWM") - before}


def _resident(which: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(which))
    return int(line.split()[1]) * 1024


def main(order: dict[str, Any]) -> None:
    """Print what became of it; nothing where the system does not tell."""
    if not _STATUS.exists():
        return
    reset, use = (order[name] and load_function(order[name]) for name in ("reset", "use"))
    subject = Subject(load(order["target"]), reset, use, order["used_bytes"])
    print(json.dumps(churn(subject, order["uses"], pooled=order["way"] == "pooled")))  # noqa: T201 - read by `churned`


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
