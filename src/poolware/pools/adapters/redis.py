"""redis-py's connection pools, sync and asyncio.

A bare connection of Redis speaks bytes, so what is lent is a client that keeps one connection. Given back, it is a
client like any other, which takes a connection of its own for each command.
"""

from __future__ import annotations

import sys
from typing import Any

from poolware.errors import PoolTimeout, PoolUnavailable, TooManyWaiting
from poolware.pools.adapters.checked import CheckedPeer

__all__ = ["Redis"]

# By text: BlockingConnectionPool has no error of its own for that, and ConnectionPool has one only in newer versions.
_MEANINGS = {"No connection available": PoolTimeout, "Too many connections": TooManyWaiting}


class Redis(CheckedPeer):
    """Lends clients with a connection each. The pool connects a disconnected one again."""

    def lend(self, pool: Any) -> Any:
        if self.asynchronous:
            return _async_client(pool)
        return sys.modules["redis"].Redis(connection_pool=pool, single_connection_client=True)

    def put(self, _pool: Any, resource: Any) -> object:
        return resource.aclose(close_connection_pool=False) if self.asynchronous else resource.close()

    def discard(self, _pool: Any, resource: Any) -> object:
        return resource.connection.disconnect()

    def is_lent(self, _pool: Any, resource: Any) -> bool:
        return resource.connection is not None

    def in_transaction(self, _resource: Any) -> bool:
        return False  # MULTI is sent with its EXEC, by pipelines, which take a connection of their own

    def meaning(self, _pool: Any, error: Exception) -> type[PoolUnavailable] | None:
        return next((cls for text, cls in _MEANINGS.items() if text in str(error)), None)


async def _async_client(pool: Any) -> Any:
    client = sys.modules["redis.asyncio"].Redis(connection_pool=pool, single_connection_client=True)
    return await client.initialize()
