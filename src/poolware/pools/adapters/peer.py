"""What poolware needs to know about a pool that is not its own."""

from __future__ import annotations

from typing import Any, ClassVar

from poolware.errors import PoolUnavailable
from poolware.pools.adapters.holding import is_held
from poolware.pools.adapters.outcome import Outcome
from poolware.pools.adapters.steps import Steps

__all__ = ["HELD", "WAIT_S", "Meanings", "Peer", "in_transaction"]

WAIT_S = 30.0
"""Seconds to wait for a pool that has no limit of its own; as psycopg_pool and SQLAlchemy by default."""
HELD = "somebody still holds it"

Meanings = dict[str, type[PoolUnavailable]]

_OPEN = (1, 2, 3)
"""libpq's states of a connection with a transaction: active, in a transaction, in a failed one."""


class Peer:
    """One kind of pool: how it lends, and what is done to a resource before it takes it back.

    The methods return what the pool's own methods return; that of an asynchronous pool is awaited.
    """

    unavailable: ClassVar[Meanings] = {}
    """The pool's errors that say that there is nothing to lend, by the names of their classes."""

    def __init__(self, *, asynchronous: bool = False) -> None:
        self.asynchronous: bool = asynchronous

    def lend(self, pool: Any) -> Any:
        """Take a resource from `pool`."""
        raise NotImplementedError

    def put(self, pool: Any, resource: Any) -> object:
        """Give it back."""
        raise NotImplementedError

    def discard(self, pool: Any, resource: Any) -> object:
        """Make `resource` unusable for whoever holds it. `put` follows, and the pool makes up for it."""
        raise NotImplementedError

    def is_lent(self, _pool: Any, _resource: Any) -> bool:
        """Whether `resource` still has to go back; False if the application has seen to that."""
        return True

    def is_busy(self, _resource: Any) -> bool:
        """Whether something goes on in `resource` now: in another thread, or cut off by a cancellation."""
        return False

    def in_transaction(self, resource: Any) -> bool:
        """Whether a transaction is open."""
        return in_transaction(resource)

    def rollback(self, resource: Any) -> object:
        """End it without committing."""
        return resource.rollback()

    def validate(self, _pool: Any, _resource: Any) -> object:
        """Ask a resource whose request failed for a sign of life; raises if there is none."""
        msg = "its request failed"
        raise RuntimeError(msg)

    def meaning(self, _pool: Any, error: Exception) -> type[PoolUnavailable] | None:
        """Return what an error of `lend` means in poolware's terms; None if it is about something else."""
        names = (cls.__name__ for cls in type(error).__mro__)
        return next((self.unavailable[name] for name in names if name in self.unavailable), None)

    def take_back(self, pool: Any, box: list[Any], outcome: Outcome) -> Steps:
        """Bring back to `pool` the resource in `box`, which is the only reference that poolware has to it."""
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


def in_transaction(resource: Any) -> bool:
    """Whether `resource` says that a transaction is open, in one of the ways in which database drivers do."""
    for name in ("in_transaction", "is_in_transaction"):  # sqlite3, SQLAlchemy; asyncpg
        said = getattr(resource, name, None)
        if said is not None:
            return (said() if callable(said) else said) is True
    return getattr(getattr(resource, "info", None), "transaction_status", None) in _OPEN  # psycopg, psycopg2
