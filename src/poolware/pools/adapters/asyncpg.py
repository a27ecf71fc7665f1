"""asyncpg.Pool. It lends proxies, which lead to the connection no more once they are given back."""

from __future__ import annotations

from typing import Any, ClassVar

from poolware.errors import PoolClosed, PoolTimeout, PoolUnavailable
from poolware.pools.adapters.checked import CheckedPeer
from poolware.pools.adapters.peer import WAIT_S, Meanings

__all__ = ["Asyncpg"]


class Asyncpg(CheckedPeer):
    """The pool resets each connection that comes back, with a round trip, and replaces it if that fails."""

    unavailable: ClassVar[Meanings] = {"TimeoutError": PoolTimeout}

    def lend(self, pool: Any) -> Any:
        return pool.acquire(timeout=WAIT_S)

    def put(self, pool: Any, resource: Any) -> object:
        return pool.release(resource)

    def discard(self, _pool: Any, resource: Any) -> object:
        return resource.terminate()

    def is_lent(self, _pool: Any, resource: Any) -> bool:
        return resource._con is not None

    def rollback(self, resource: Any) -> object:
        return resource.execute("ROLLBACK")

    def validate(self, _pool: Any, _resource: Any) -> object:
        return None

    def meaning(self, pool: Any, error: Exception) -> type[PoolUnavailable] | None:
        return PoolClosed if pool.is_closing() else super().meaning(pool, error)
