"""How much memory a server has, from outside, while it serves."""

from __future__ import annotations

import threading
from statistics import median
from types import TracebackType
from typing import Self

import psutil

EVERY = 0.1
"""Seconds."""


class Resident:
    """Takes samples of the resident memory of a process and all its children, as long as its block lasts."""

    def __init__(self, pid: int) -> None:
        self.samples: list[int] = []
        self._processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.samples.append(sum(process.memory_info().rss for process in self._processes))
            if self._over.wait(EVERY):
                return

    def third(self, number: int) -> int:
        """Return the median of the samples of the second or last third."""
        size = len(self.samples) // 3
        return int(median(self.samples[number * size :][: max(size, 1)]))
