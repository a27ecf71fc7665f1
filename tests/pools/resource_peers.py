"""Pools of scarce things, poolware's and others', made alike: how they are asked for a thing, and given it back.

Each maker takes a factory and a size, and returns a `Peer`. It raises ImportError where its package is not installed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from queue import LifoQueue
from typing import Any

from poolware import ResourcePool


class Thing:
    """What is pooled: a connection to nowhere, as the drivers' pools know it."""

    closed = False
    transaction_status = 0  # idle
    _pool: Any = None
    _created_at = _expire_at = 0.0

    def __init__(self) -> None:
        self.pgconn = self

    def close(self) -> None:
        self.closed = True

    def rollback(self) -> None:
        """There is nothing to roll back."""


Factory = Callable[[], Thing]


@dataclass
class Peer:
    """A pool.

    Args:
        get: waits so many seconds for a thing.
        put: gives it back.
        regain: gives a thing back and asks for one in the same breath, waiting so many seconds.
        close: ends what the pool runs.
        foreign: makes what it could be given by mistake; None if it has no way to be given something.
        cancellable: whether a caller can be cancelled: a task can, a thread cannot.
    """

    get: Callable[[float], Awaitable[Any]]
    put: Callable[[Any], Awaitable[object]]
    regain: Callable[[Any, float], Awaitable[Any]]
    close: Callable[[], Awaitable[object]]
    foreign: Callable[[], Any] | None = Thing
    cancellable: bool = True


async def _nothing() -> None:
    """There is nothing to close."""


def threaded(
    get: Callable[[float], Any], put: Callable[[Any], object], close: Callable[[], object] = bool, **more: Any
) -> Peer:
    """A pool for threads: each call is made in one."""

    def regain(thing: Any, timeout: float) -> Any:
        put(thing)
        return get(timeout)

    async def apart(call: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.to_thread(call, *args)

    return Peer(
        lambda timeout: apart(get, timeout),
        lambda thing: apart(put, thing),
        lambda thing, timeout: apart(regain, thing, timeout),
        lambda: apart(close),
        cancellable=False,
        **more,
    )


def awaited(
    get: Callable[[float], Awaitable[Any]],
    put: Callable[[Any], Awaitable[object]],
    close: Callable[[], Awaitable[object]] = _nothing,
    **more: Any,
) -> Peer:
    """A pool for tasks."""

    async def regain(thing: Any, timeout: float) -> Any:
        await put(thing)
        return await get(timeout)

    return Peer(get, put, regain, close, **more)


async def poolware(factory: Factory, size: int) -> Peer:
    pool = ResourcePool(factory, min_size=0, max_size=size)
    return threaded(pool.acquire, pool.release, pool.close)


async def poolware_async(factory: Factory, size: int) -> Peer:
    async def make() -> Thing:
        await asyncio.sleep(0)
        return factory()

    pool = ResourcePool(make, min_size=0, max_size=size)

    async def release(thing: Thing) -> None:
        pool.release(thing)

    return awaited(pool.aacquire, release, pool.aclose)


async def lifo_queue(factory: Factory, size: int) -> Peer:
    queue: LifoQueue[Thing] = LifoQueue()
    for _ in range(size):
        queue.put(factory())
    return threaded(lambda timeout: queue.get(timeout=timeout), queue.put)


async def sqlalchemy(factory: Factory, size: int) -> Peer:
    from sqlalchemy.pool import QueuePool

    pool: Any = QueuePool(factory, pool_size=size, max_overflow=0)

    def get(timeout: float) -> Any:
        pool._timeout = timeout
        return pool.connect()

    def put(thing: Any) -> None:
        thing.close()

    return threaded(get, put, pool.dispose, foreign=None)


async def pondpond(factory: Factory, size: int) -> Peer:
    from pond import Pond, PooledObject, PooledObjectFactory

    class Things(PooledObjectFactory):
        def createInstance(self) -> Any:  # noqa: N802
            return PooledObject(factory())

        def destroy(self, pooled: Any) -> None:
            pooled.keeped_object.close()

        def reset(self, pooled: Any) -> Any:
            return pooled

        def validate(self, _pooled: Any) -> bool:
            return True

    pond = Pond(time_between_eviction_runs=-1)
    things = Things(pooled_maxsize=size, least_one=False)
    pond.register(things)
    return threaded(
        lambda _: pond.borrow(things), lambda thing: pond.recycle(thing, things), foreign=lambda: PooledObject(Thing())
    )


async def connpool(factory: Factory, size: int) -> Peer:
    from connpool import ConnectionPool, PoolConfig

    pool = ConnectionPool.from_callables(factory, config=PoolConfig(max_size=size))
    return threaded(pool.acquire, pool.release, pool.close)


async def connpool_async(factory: Factory, size: int) -> Peer:
    from connpool import AsyncConnectionPool, PoolConfig

    async def make() -> Thing:
        await asyncio.sleep(0)
        return factory()

    pool = AsyncConnectionPool.from_callables(make, config=PoolConfig(max_size=size))
    return awaited(pool.acquire, pool.release, pool.close)


async def generic(factory: Factory, size: int) -> Peer:
    from generic_connection_pool.threading import BaseConnectionManager, ConnectionPool

    class Manager(BaseConnectionManager[str, Thing]):
        def create(self, endpoint: str, timeout: float | None = None) -> Thing:
            return factory()

        def dispose(self, endpoint: str, conn: Thing, timeout: float | None = None) -> None:
            conn.close()

    pool = ConnectionPool(Manager(), max_size=size, total_max_size=size, background_collector=False)
    return threaded(
        lambda timeout: pool.acquire("here", timeout), lambda thing: pool.release(thing, "here"), pool.close
    )


async def generic_async(factory: Factory, size: int) -> Peer:
    from generic_connection_pool.asyncio import BaseConnectionManager, ConnectionPool

    class Manager(BaseConnectionManager[str, Thing]):
        async def create(self, endpoint: str) -> Thing:
            await asyncio.sleep(0)
            return factory()

        async def dispose(self, endpoint: str, conn: Thing) -> None:
            conn.close()

    pool = ConnectionPool(Manager(), max_size=size, total_max_size=size, background_collector=False)
    return awaited(lambda timeout: pool.acquire("here", timeout), lambda thing: pool.release(thing, "here"), pool.close)


async def psycopg_pool(factory: Factory, size: int) -> Peer:
    from psycopg_pool import ConnectionPool

    class Connection(Thing):
        @classmethod
        def connect(cls, *_: Any, **__: Any) -> Thing:
            return factory()

    pool: Any = ConnectionPool(connection_class=Connection, min_size=0, max_size=size, open=True)
    return threaded(pool.getconn, pool.putconn, pool.close)


async def psycopg_pool_async(factory: Factory, size: int) -> Peer:
    from psycopg_pool import AsyncConnectionPool

    class Connection(Thing):
        @classmethod
        async def connect(cls, *_: Any, **__: Any) -> Thing:
            await asyncio.sleep(0)
            thing = factory()
            thing.close = _nothing
            return thing

    pool: Any = AsyncConnectionPool(connection_class=Connection, min_size=0, max_size=size, open=False)
    await pool.open()
    return awaited(pool.getconn, pool.putconn, pool.close)


async def aiomisc(factory: Factory, size: int) -> Peer:
    from aiomisc import PoolBase

    class Things(PoolBase):
        async def _create_instance(self) -> Thing:
            await asyncio.sleep(0)
            return factory()

        async def _destroy_instance(self, thing: Thing) -> None:
            thing.close()

        async def _check_instance(self, thing: Thing) -> bool:
            return True

    pool = Things(size)
    blocks: dict[int, Any] = {}

    async def get(timeout: float) -> Thing:
        block = pool.acquire()
        thing = await asyncio.wait_for(block.__aenter__(), timeout)
        blocks[id(thing)] = block
        return thing

    async def put(thing: Thing) -> None:
        await blocks[id(thing)].__aexit__(None, None, None)

    return awaited(get, put, pool.close, foreign=None)


PEERS = {
    "queue.LifoQueue": lifo_queue,
    "SQLAlchemy, QueuePool": sqlalchemy,
    "psycopg_pool, ConnectionPool": psycopg_pool,
    "psycopg_pool, AsyncConnectionPool": psycopg_pool_async,
    "generic-connection-pool, threads": generic,
    "generic-connection-pool, asyncio": generic_async,
    "connpool, threads": connpool,
    "connpool, asyncio": connpool_async,
    "pondpond": pondpond,
    "aiomisc, PoolBase": aiomisc,
}
OURS = {"poolware, threads": poolware, "poolware, asyncio": poolware_async}
