"""Letting go of what nobody has needed for a while (H30)."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from poolware.pools.tending.growing import Grower
from poolware.pools.tending.tended import Tended

LOOKS = 8
"""How often a pool is looked at within its idle timeout."""


class LowWater:
    """The least that was to spare at any look of the last `LOOKS` periods: nobody has needed that much for so long.

    What happens between two looks is not seen. What is let go of though it was needed costs one construction.
    """

    def __init__(self) -> None:
        self._seen: deque[int] = deque(maxlen=LOOKS + 1)

    def look(self, spare: int) -> int:
        """Note that so many are to spare now; return how many to let go of."""
        self._seen.append(spare)
        if len(self._seen) <= LOOKS:
            return 0
        surplus = max(0, min(self._seen))
        self._seen = deque((before - surplus for before in self._seen), maxlen=LOOKS + 1)
        return surplus


class IdleTimeout:
    """Lets go of a pool's objects, down to `keep` of them and to what is built ahead of demand."""

    def __init__(self, pool: Tended, keep: int, grower: Grower | None) -> None:
        self._pool = pool
        self._keep = keep
        self._grower = grower
        self._low = LowWater()

    def beat(self) -> None:
        """Look, and let go."""
        idle, in_use, *_ = self._pool._counts()
        ahead = self._grower.reserve if self._grower else 0
        self._pool._let_go(self._low.look(idle - max(self._keep - in_use, ahead)))


class Memories(Protocol):
    """The memory of a buffer pool."""

    def resting(self) -> dict[int, int]: ...

    def trim(self, size: int, count: int, /) -> None: ...


class BufferIdleTimeout:
    """Lets go of a buffer pool's memory, tier by tier."""

    def __init__(self, store: Memories) -> None:
        self._store = store
        self._low: dict[int, LowWater] = {}

    def beat(self) -> None:
        """Look, and let go."""
        resting = self._store.resting()
        self._low = {size: self._low.get(size) or LowWater() for size in resting}
        for size, count in resting.items():
            self._store.trim(size, self._low[size].look(count))
