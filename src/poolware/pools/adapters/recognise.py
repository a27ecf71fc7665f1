"""Which kind of pool is this? Told by the names of its classes, so that nothing has to be imported."""

from __future__ import annotations

from functools import lru_cache
from inspect import iscoroutinefunction

from poolware.errors import BadOption
from poolware.pools.adapters.asyncpg import Asyncpg
from poolware.pools.adapters.outcome import label_of
from poolware.pools.adapters.own import Own
from poolware.pools.adapters.peer import Peer
from poolware.pools.adapters.plain import Acquiring, GetConn
from poolware.pools.adapters.psycopg import Psycopg
from poolware.pools.adapters.queues import QueuePeer
from poolware.pools.adapters.redis import Redis
from poolware.pools.adapters.sqlalchemy import EnginePeer, PoolPeer, SessionPeer
from poolware.pools.resources import ResourcePool

__all__ = ["ACQUIRING", "peer_of"]

ACQUIRING = Acquiring(asynchronous=True)

_KNOWN: dict[tuple[str, str], Peer] = {
    ("psycopg_pool", "ConnectionPool"): Psycopg(),
    ("psycopg_pool", "AsyncConnectionPool"): Psycopg(asynchronous=True),
    ("sqlalchemy.engine", "Engine"): EnginePeer(),
    ("sqlalchemy.ext", "AsyncEngine"): EnginePeer(asynchronous=True),
    ("sqlalchemy.orm", "sessionmaker"): SessionPeer(),
    ("sqlalchemy.ext", "async_sessionmaker"): SessionPeer(asynchronous=True),
    ("sqlalchemy.pool", "Pool"): PoolPeer(),
    ("redis.connection", "ConnectionPool"): Redis(),
    ("redis.asyncio", "ConnectionPool"): Redis(asynchronous=True),
    ("asyncpg.pool", "Pool"): Asyncpg(asynchronous=True),
    ("queue", "Queue"): QueuePeer(),
}
_TAKEN = (
    "an object with acquire() and release(obj), or getconn() and putconn(obj); a pool of psycopg_pool, asyncpg or "
    "redis; an engine, session maker or pool of SQLAlchemy; a queue.Queue"
)


def peer_of(pool: object) -> Peer | None:
    """Return how `pool` is used; None if it lends with ``acquire`` and ``release`` themselves.

    Raises:
        BadOption: nothing is known that `pool` could lend.
    """
    if isinstance(pool, ResourcePool):
        return _OWN_ASYNC if pool.is_async else _OWN
    peer = _known(type(pool))  # type: ignore[arg-type] # every class is hashable
    if peer is not None:
        return peer
    if hasattr(pool, "release") and (hasattr(pool, "acquire") or hasattr(pool, "aacquire")):
        return None
    if hasattr(pool, "getconn") and hasattr(pool, "putconn"):
        return _GETCONN_ASYNC if iscoroutinefunction(pool.getconn) else _GETCONN
    msg = f"borrow({label_of(pool)}): it takes a pool: {_TAKEN}"
    raise BadOption(msg)


_OWN, _OWN_ASYNC = Own(), Own(asynchronous=True)
_GETCONN, _GETCONN_ASYNC = GetConn(), GetConn(asynchronous=True)


@lru_cache(maxsize=256)
def _known(cls: type) -> Peer | None:
    for base in cls.__mro__:
        module = ".".join(base.__module__.split(".")[:2])
        for place in (module, module.partition(".")[0]):
            if (place, base.__name__) in _KNOWN:
                return _KNOWN[place, base.__name__]
    return None
