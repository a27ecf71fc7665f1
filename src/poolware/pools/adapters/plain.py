"""Pools of which nothing is known but two methods."""

from __future__ import annotations

from typing import Any

from poolware.pools.adapters.checked import CheckedPeer
from poolware.pools.adapters.outcome import Outcome
from poolware.pools.adapters.peer import Peer
from poolware.pools.adapters.steps import Steps

__all__ = ["Acquiring", "GetConn"]


class GetConn(CheckedPeer):
    """``getconn()`` and ``putconn(conn)``, as psycopg2's pools, which drop a connection that comes back closed."""

    def lend(self, pool: Any) -> Any:
        return pool.getconn()

    def put(self, pool: Any, resource: Any) -> object:
        return pool.putconn(resource)

    def discard(self, _pool: Any, resource: Any) -> object:
        return resource.close()


class Acquiring(Peer):
    """``acquire()`` and ``release(obj)`` that are awaited. What becomes of an object is for `release` to decide."""

    def lend(self, pool: Any) -> Any:
        return pool.acquire()

    def take_back(self, pool: Any, box: list[Any], _outcome: Outcome) -> Steps:
        yield pool.release(box.pop())
