"""What poolware needs to know about a pool that is not its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from poolware.errors import PoolUnavailable
from poolware.pools.adapters.outcome import Outcome
from poolware.pools.adapters.steps import Steps

__all__ = ["HELD", "WAIT_S", "Meanings", "Peer", "in_transaction"]

WAIT_S = 30.0
"""Seconds to wait for a pool that has no limit of its own; as psycopg_pool and SQLAlchemy by default."""
HELD = "somebody still holds it"

Meanings = dict[str, type[PoolUnavailable]]

_OPEN = (1, 2, 3)
"""libpq's states of a connection with a transaction: active, in a transaction, in a failed one."""


class Peer(ABC):
    """One kind of pool: how it lends, and how it takes back.

    The methods return what the pool's own methods return; that of an asynchronous pool is awaited.
    """

    unavailable: ClassVar[Meanings] = {}
    """The pool's errors that say that there is nothing to lend, by the names of their classes."""

    def __init__(self, *, asynchronous: bool = False) -> None:
        self.asynchronous: bool = asynchronous

    @abstractmethod
    def lend(self, pool: Any) -> Any:
        """Take a resource from `pool`."""

    @abstractmethod
    def take_back(self, pool: Any, box: list[Any], outcome: Outcome) -> Steps:
        """Bring back to `pool` the resource in `box`, which is the only reference that poolware has to it."""

    def in_use_since(self, _pool: Any, _resource: Any) -> float | None:
        """Return when the present use of a resource began, in seconds of any clock; None if `pool` does not tell."""
        return None

    def in_transaction(self, resource: Any) -> bool:
        """Whether a transaction is open."""
        return in_transaction(resource)

    def rollback(self, resource: Any) -> object:
        """End it without committing."""
        return resource.rollback()

    def meaning(self, _pool: Any, error: Exception) -> type[PoolUnavailable] | None:
        """Return what an error of `lend` means in poolware's terms; None if it is about something else."""
        names = (cls.__name__ for cls in type(error).__mro__)
        return next((self.unavailable[name] for name in names if name in self.unavailable), None)


def in_transaction(resource: Any) -> bool:
    """Whether `resource` says that a transaction is open, in one of the ways in which database drivers do."""
    for name in ("in_transaction", "is_in_transaction"):  # sqlite3, SQLAlchemy; asyncpg
        said = getattr(resource, name, None)
        if said is not None:
            return (said() if callable(said) else said) is True
    return getattr(getattr(resource, "info", None), "transaction_status", None) in _OPEN  # psycopg, psycopg2
