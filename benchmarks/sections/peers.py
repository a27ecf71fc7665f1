"""Getting and putting back one object that needs no reset, beside what else pools objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from queue import LifoQueue
from typing import Any

from benchmarks.groups import Comparison, Group, made
from poolware import ObjectPool

POOLWARE = "poolware, ObjectPool"


class Thing:
    """What is pooled: a connection that does nothing."""

    def rollback(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def poolware() -> dict[str, Any]:
    pool = ObjectPool(Thing, reset=None)
    return {"get": pool.acquire, "put": pool.release}


def lifo_queue() -> dict[str, Any]:
    queue: LifoQueue[Thing] = LifoQueue()
    queue.put(Thing())
    return {"get": queue.get, "put": queue.put}


def sqlalchemy() -> dict[str, Any]:
    from sqlalchemy.pool import QueuePool  # noqa: PLC0415 - it may not be installed

    pool: Any = QueuePool(Thing, reset_on_return=None)
    return {"get": pool.connect, "put": type(pool.connect()).close}


def pondpond() -> dict[str, Any]:
    from pond import Pond, PooledObject, PooledObjectFactory  # noqa: PLC0415 - it may not be installed

    class Factory(PooledObjectFactory):
        def createInstance(self) -> Any:  # noqa: N802 - its name for it
            return PooledObject(Thing())

        def destroy(self, pooled: Any) -> None:
            """Do nothing."""

        def reset(self, pooled: Any) -> Any:
            return pooled

        def validate(self, _pooled: Any) -> bool:
            return True

    pond = Pond(time_between_eviction_runs=-1)
    factory = Factory()
    pond.register(factory)
    return {"get": lambda: pond.borrow(factory), "put": lambda pooled: pond.recycle(pooled, factory)}


def connpool() -> dict[str, Any]:
    from connpool import ConnectionPool  # noqa: PLC0415 - it may not be installed

    pool = ConnectionPool.from_callables(Thing)
    return {"get": pool.acquire, "put": pool.release}


def generic_connection_pool() -> dict[str, Any]:
    from generic_connection_pool.threading import (  # noqa: PLC0415 - it may not be installed
        BaseConnectionManager,
        ConnectionPool,
    )

    class Manager(BaseConnectionManager[str, Thing]):
        def create(self, endpoint: str, timeout: float | None = None) -> Thing:  # noqa: ARG002 - called by name
            return Thing()

        def dispose(self, endpoint: str, conn: Thing, timeout: float | None = None) -> None:
            """Do nothing."""

    pool = ConnectionPool(Manager(), idle_timeout=60.0, max_lifetime=600.0)
    return {"get": lambda: pool.acquire("here"), "put": lambda thing: pool.release(thing, "here")}


PEERS: dict[str, Callable[[], dict[str, Any]]] = {
    "queue.LifoQueue": lifo_queue,
    "SQLAlchemy, QueuePool": sqlalchemy,
    "pondpond": pondpond,
    "connpool": connpool,
    "generic-connection-pool": generic_connection_pool,
}


def groups() -> Iterator[Group]:
    calls, absent = made({POOLWARE: poolware} | {name: tried(make) for name, make in PEERS.items()})
    names = {f"{call}_{number}": made[call] for number, made in enumerate(calls.values()) for call in made}
    yield Group(
        {name: f"put_{number}(get_{number}())" for number, name in enumerate(calls)},
        [Comparison(name, POOLWARE) for name in PEERS],
        names,
        absent,
    )


def tried(make: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Return `make` with a first go at what it makes, so that a peer that does not work is a peer that is absent."""

    def trying() -> dict[str, Any]:
        calls = make()
        calls["put"](calls["get"]())
        return calls

    return trying
