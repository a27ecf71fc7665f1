"""Which process is which, although their numbers are used again."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["birth_of", "is_alive"]

_PROC = Path("/proc")
_START_TIME = 19
"""Place of the start time among the fields of ``/proc/PID/stat`` that follow the name (proc(5), field 22)."""
_ZOMBIE = "Z"


def birth_of(pid: int) -> str:
    """Return when the process started, in ticks since the machine did; empty if it has gone, or nothing tells."""
    try:
        state, *_ = fields = _stat(pid)
    except OSError:
        return ""
    return "" if state == _ZOMBIE else fields[_START_TIME]


def is_alive(pid: int, birth: str = "") -> bool:
    """Whether the process that started then still runs. Without a time: whether there is one of that number."""
    if _PROC.exists():
        now = birth_of(pid)
        return bool(now) and birth in {"", now}
    if os.name == "nt":  # there os.kill() ends the process, whatever the signal
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _stat(pid: int) -> list[str]:
    text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    return text.rpartition(")")[2].split()  # the name before it may hold anything
