"""queue.Queue, filled with objects by the application."""

from __future__ import annotations

import time
from collections import deque
from queue import Empty
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from poolware.errors import PoolTimeout
from poolware.pools.adapters.holding import is_held
from poolware.pools.adapters.outcome import Outcome
from poolware.pools.adapters.peer import HELD, WAIT_S, Meanings, Peer
from poolware.pools.adapters.steps import Steps

__all__ = ["QueuePeer"]

_LOOK_S = 0.05


class QueuePeer(Peer):
    """Lends what ``get`` returns.

    A queue cannot make a new object, so none is discarded: what somebody still holds is kept aside, and put back when
    it has been let go.
    """

    unavailable: ClassVar[Meanings] = {"Empty": PoolTimeout}

    def __init__(self) -> None:
        super().__init__()
        self._aside: WeakKeyDictionary[Any, deque[Any]] = WeakKeyDictionary()

    def lend(self, pool: Any) -> Any:
        deadline = time.monotonic() + WAIT_S
        while True:
            left = max(deadline - time.monotonic(), 0)
            held = self._put_back(pool)
            try:
                return pool.get(timeout=min(left, _LOOK_S) if held else left)
            except Empty:
                if not left or not held:
                    raise

    def is_lent(self, pool: Any, resource: Any) -> bool:
        with pool.mutex:
            return not any(resting is resource for resting in pool.queue)

    def take_back(self, pool: Any, box: list[Any], outcome: Outcome) -> Steps:
        self._put_back(pool)
        if not self.is_lent(pool, box[0]):
            return
        try:
            if self.in_transaction(box[0]):
                outcome.rolled_back(pool)
                yield self.rollback(box[0])
        finally:
            if is_held(box):
                outcome.discarded(pool, type(box[0]).__name__, f"{HELD}; until it is let go")
                self._aside.setdefault(pool, deque()).append(box.pop())
            else:
                pool.put_nowait(box.pop())

    def _put_back(self, pool: Any) -> int:
        """Put back what nobody holds any more; return how many objects are still held."""
        aside = self._aside.get(pool, deque())
        for _ in range(len(aside)):
            box = [aside.popleft()]
            if is_held(box):
                aside.append(box.pop())
            else:
                pool.put_nowait(box.pop())
        return len(aside)
