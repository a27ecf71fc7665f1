"""Is the garbage collector at work?"""

from __future__ import annotations

import gc

_running: list[None] = []


def _note(phase: str, _info: dict[str, int]) -> None:
    if phase == "start":
        _running.append(None)
    elif _running:
        _running.pop()


getattr(gc, "callbacks", []).append(_note)  # PyPy has none, and no reuse


def collecting() -> bool:
    """Whether a collection runs in any thread of this process."""
    return bool(_running)
