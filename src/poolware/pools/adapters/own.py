"""poolware's own ResourcePool."""

from __future__ import annotations

from typing import Any

from poolware.pools.adapters.holding import is_held
from poolware.pools.adapters.outcome import Outcome
from poolware.pools.adapters.peer import HELD, Peer
from poolware.pools.adapters.steps import Steps

__all__ = ["Own"]


class Own(Peer):
    """The pool resets and validates by itself, and discards after a failure what it cannot validate."""

    def lend(self, pool: Any) -> Any:
        return pool.aacquire() if self.asynchronous else pool.acquire()

    def in_use_since(self, pool: Any, resource: Any) -> float | None:
        record = pool._stock.lent.get(id(resource))
        return None if record is None else float(record.since)

    def take_back(self, pool: Any, box: list[Any], outcome: Outcome) -> Steps:
        flaw = "its return was interrupted"
        try:
            flaw = yield from self._flaw(pool, box, outcome)
        finally:
            if flaw:
                outcome.discarded(pool, type(box[0]).__name__, flaw)
                pool.discard(box.pop())
            else:
                pool.release(box.pop(), failed=outcome.failed)

    def _flaw(self, pool: Any, box: list[Any], outcome: Outcome) -> Steps:
        try:
            if self.in_transaction(box[0]):
                outcome.rolled_back(pool)
                yield self.rollback(box[0])
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return HELD if is_held(box, also=1) else ""  # the pool's own record holds it too
