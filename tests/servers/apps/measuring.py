"""How much memory a server takes between two moments."""

from __future__ import annotations

import gc
import re
import tracemalloc
from pathlib import Path


def begin_measuring() -> None:
    gc.collect()
    _reset_peak_of_process()
    measured["resident"] = _resident("VmRSS")
    tracemalloc.start()
    measured["traced"] = tracemalloc.get_traced_memory()[0]


def end_measuring() -> dict[str, int]:
    """Return the peaks since then in bytes: of Python's own memory, and of the whole process where the system says."""
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"traced": peak - measured["traced"], "resident": _resident("VmHWM") - measured["resident"]}


measured = {"traced": 0, "resident": 0}
ACTIONS = {"begin-measuring": begin_measuring, "end-measuring": end_measuring}


def _reset_peak_of_process() -> None:
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")


def _resident(which: str) -> int:
    status = Path("/proc/self/status")
    found = re.search(rf"{which}:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 if found else 0
