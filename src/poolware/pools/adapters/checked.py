"""A pool that takes back whatever it is given: what makes a resource fit for its next user."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from poolware.pools.adapters.holding import is_held
from poolware.pools.adapters.outcome import Outcome
from poolware.pools.adapters.peer import HELD, Peer
from poolware.pools.adapters.steps import Steps

__all__ = ["CheckedPeer"]


class CheckedPeer(Peer):
    """How poolware looks at a resource before such a pool gets it back."""

    @abstractmethod
    def put(self, pool: Any, resource: Any) -> object:
        """Give `resource` back."""

    @abstractmethod
    def discard(self, pool: Any, resource: Any) -> object:
        """Make `resource` unusable for whoever holds it. `put` follows, and the pool makes up for it."""

    def is_lent(self, _pool: Any, _resource: Any) -> bool:
        """Whether `resource` still has to go back; False if the application has seen to that."""
        return True

    def is_busy(self, _resource: Any) -> bool:
        """Whether something goes on in `resource` now: in another thread, or cut off by a cancellation."""
        return False

    def validate(self, _pool: Any, _resource: Any) -> object:
        """Ask a resource whose request failed for a sign of life; raises if there is none."""
        msg = "its request failed"
        raise RuntimeError(msg)

    def take_back(self, pool: Any, box: list[Any], outcome: Outcome) -> Steps:
        if not self.is_lent(pool, box[0]):
            return
        flaw = "its return was interrupted"
        try:
            flaw = yield from self._flaw(pool, box, outcome)
        finally:
            if flaw:
                outcome.discarded(pool, type(box[0]).__name__, flaw)
                try:
                    yield self.discard(pool, box[0])
                finally:
                    yield self.put(pool, box.pop())
            else:
                yield self.put(pool, box.pop())

    def _flaw(self, pool: Any, box: list[Any], outcome: Outcome) -> Steps:
        """Make the resource fit for its next user; return why it is not, or an empty text."""
        try:
            if self.is_busy(box[0]):
                return "something still goes on in it"
            if self.in_transaction(box[0]):
                outcome.rolled_back(pool)
                yield self.rollback(box[0])
            if is_held(box):
                return HELD
            if outcome.failed:
                yield self.validate(pool, box[0])
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""
