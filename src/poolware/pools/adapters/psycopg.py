"""psycopg_pool: ConnectionPool, NullConnectionPool, and their async twins."""

from __future__ import annotations

from typing import Any, ClassVar

from poolware.errors import PoolClosed, PoolTimeout, TooManyWaiting
from poolware.pools.adapters.peer import Meanings
from poolware.pools.adapters.plain import GetConn

__all__ = ["Psycopg"]

_ACTIVE = 1


class Psycopg(GetConn):
    """Lends connections. The pool's workers replace a closed one."""

    unavailable: ClassVar[Meanings] = {
        "PoolTimeout": PoolTimeout,
        "TooManyRequests": TooManyWaiting,
        "PoolClosed": PoolClosed,
    }

    def is_lent(self, pool: Any, resource: Any) -> bool:
        return getattr(resource, "_pool", None) is pool

    def is_busy(self, resource: Any) -> bool:
        return bool(resource.info.transaction_status == _ACTIVE)  # rollback() would wait for it

    def validate(self, pool: Any, resource: Any) -> object:
        return pool.check_connection(resource)
