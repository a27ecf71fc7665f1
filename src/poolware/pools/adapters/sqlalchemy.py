"""SQLAlchemy: engines, session makers and bare pools.

What is lent is a handle that belongs to this one loan: once closed it leads to the connection no more.
"""

from __future__ import annotations

from typing import Any, ClassVar

from poolware.errors import PoolTimeout
from poolware.pools.adapters.checked import CheckedPeer
from poolware.pools.adapters.peer import Meanings, in_transaction

__all__ = ["EnginePeer", "PoolPeer", "SessionPeer"]


class _Closing(CheckedPeer):
    unavailable: ClassVar[Meanings] = {"TimeoutError": PoolTimeout}

    def put(self, _pool: Any, resource: Any) -> object:
        return resource.close()

    def discard(self, _pool: Any, resource: Any) -> object:
        return resource.invalidate()


class EnginePeer(_Closing):
    """Lends connections of an Engine or AsyncEngine."""

    def lend(self, pool: Any) -> Any:
        return pool.connect()

    def is_lent(self, _pool: Any, resource: Any) -> bool:
        return not resource.closed

    def in_transaction(self, resource: Any) -> bool:
        if resource.invalidated or not resource.in_transaction():
            return False
        # Every statement opens a transaction in SQLAlchemy's books; under AUTOCOMMIT the driver knows of none.
        driver = getattr(resource, "sync_connection", resource).connection.driver_connection
        return in_transaction(driver) if _tells(driver) else True

    def validate(self, _pool: Any, resource: Any) -> object:
        return resource.run_sync(_ping) if self.asynchronous else _ping(resource)


class SessionPeer(_Closing):
    """Lends sessions of a sessionmaker or async_sessionmaker. A rollback reaches every connection that one has used."""

    def lend(self, pool: Any) -> Any:
        return pool()

    def validate(self, _pool: Any, _resource: Any) -> object:
        return None


class PoolPeer(_Closing):
    """Lends the driver's own connections, of a QueuePool for example, which rolls back whatever comes back."""

    def lend(self, pool: Any) -> Any:
        return pool.connect()

    def is_lent(self, _pool: Any, resource: Any) -> bool:
        return bool(resource.is_valid)

    def in_transaction(self, resource: Any) -> bool:
        return in_transaction(resource.driver_connection)


def _tells(driver: Any) -> bool:
    return any(hasattr(driver, name) for name in ("in_transaction", "is_in_transaction", "info"))


def _ping(connection: Any) -> object:
    return connection.dialect.do_ping(connection.connection.dbapi_connection)
