"""What must hold after every test on a server."""

from __future__ import annotations

import asyncio
from typing import Any

from .guests import visits
from .settled import balanced, settled
from .targets import Target


def everything_came_back(target: Target) -> None:
    """Wait until all is back; check that nothing was foreign or left, and that contexts are still being reused."""
    after = settled(target.running)
    _exact(after)
    for _ in range(3):
        asyncio.run(visits(target, 1))
        later = settled(target.running)
    _exact(later)
    assert later["contexts"]["created"] == max(after["contexts"]["created"], 1), "contexts are not reused any more"


def _exact(seen: dict[str, Any]) -> None:
    balanced(seen)
    assert seen["contexts"]["acquired"] == seen["begun"]
    assert seen["objects"]["acquired"] == seen["arrived"]
    assert seen["contexts"]["escaped"] == seen["objects"]["escaped"] == 0
    assert seen["problems"] == []
    assert seen["unwiped"] == 0
