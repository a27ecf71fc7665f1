"""Getting and giving back one scarce resource while nobody else wants it, beside pools of the same kind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from time import process_time
from typing import Any

from benchmarks.groups import Comparison, Group, made
from benchmarks.sections import peers
from benchmarks.sections.peers import Thing, tried
from poolware import ResourcePool

POOLWARE = "poolware, ResourcePool"
LEASE = "poolware, with pool.lease()"
AWAITED = "poolware, await pool.aacquire()"
AWAITED_LEASE = "poolware, async with pool.alease()"
SQLALCHEMY = "SQLAlchemy, QueuePool"
GENERIC = "generic-connection-pool"
AIOMISC = "aiomisc, PoolBase"
PSYCOPG_ASYNC = "psycopg_pool, AsyncConnectionPool"
TARGETS = {SQLALCHEMY: 1 / 5, f"{SQLALCHEMY}, reset_on_return=None": 1 / 5, GENERIC: 1 / 10}


def poolware() -> dict[str, Any]:
    pool = ResourcePool(Thing)
    return {"get": pool.acquire, "put": pool.release}


def sqlalchemy() -> dict[str, Any]:
    from sqlalchemy.pool import QueuePool  # noqa: PLC0415 - it may not be installed

    pool: Any = QueuePool(Thing)
    return {"get": pool.connect, "put": type(pool.connect()).close}


class Connection:
    """What psycopg_pool asks of a connection class, and no database behind it."""

    closed = False
    _pool: Any = None
    _expire_at = 0.0

    def __init__(self) -> None:
        self.pgconn = self
        self.transaction_status = 0  # idle

    @classmethod
    def connect(cls, *_: Any, **__: Any) -> Connection:
        return cls()

    def close(self) -> None:
        """Do nothing."""


class AsyncConnection(Connection):
    """The same for the pool that is awaited."""

    @classmethod
    async def connect(cls, *_: Any, **__: Any) -> Connection:  # type: ignore[override]
        return cls()

    async def close(self) -> None:  # type: ignore[override]
        """Do nothing."""


def psycopg_pool() -> dict[str, Any]:
    from psycopg_pool import ConnectionPool  # noqa: PLC0415 - it may not be installed

    pool: Any = ConnectionPool(connection_class=Connection, min_size=1, open=True)  # type: ignore[type-var]
    return {"get": pool.getconn, "put": pool.putconn}


THREADED: dict[str, Callable[[], dict[str, Any]]] = {
    "queue.LifoQueue": peers.lifo_queue,
    SQLALCHEMY: sqlalchemy,
    f"{SQLALCHEMY}, reset_on_return=None": peers.sqlalchemy,
    GENERIC: peers.generic_connection_pool,
    "psycopg_pool, ConnectionPool": psycopg_pool,
    "connpool": peers.connpool,
    "pondpond": peers.pondpond,
}


Cycle = Callable[[], Awaitable[object]]


async def aacquire() -> Cycle:
    pool = ResourcePool(Thing)

    async def cycle() -> None:
        pool.release(await pool.aacquire())

    return cycle


async def alease() -> Cycle:
    pool = ResourcePool(Thing)

    async def cycle() -> None:
        async with pool.alease():
            pass

    return cycle


async def aiomisc() -> Cycle:
    from aiomisc import PoolBase  # noqa: PLC0415 - it may not be installed

    class Things(PoolBase):  # type: ignore[misc,no-any-unimported,unused-ignore]
        async def _create_instance(self) -> Thing:
            return Thing()

        async def _destroy_instance(self, thing: Thing) -> None:
            """Do nothing."""

        async def _check_instance(self, _thing: Thing) -> bool:
            return True

    pool = Things()

    async def cycle() -> None:
        async with pool.acquire():
            pass

    return cycle


async def async_psycopg_pool() -> Cycle:
    from psycopg_pool import AsyncConnectionPool  # noqa: PLC0415 - it may not be installed

    pool: Any = AsyncConnectionPool(connection_class=AsyncConnection, min_size=1, open=False)  # type: ignore[type-var]
    await pool.open(wait=True)

    async def cycle() -> None:
        await pool.putconn(await pool.getconn())

    return cycle


class Awaited:
    """A cycle on an event loop, timed without the loop's start."""

    def __init__(self, runner: asyncio.Runner, make: Callable[[], Coroutine[Any, Any, Cycle]]) -> None:
        self.runner = runner
        self.cycle = runner.run(make())
        self(1)

    def __call__(self, loops: int) -> float:
        return self.runner.run(self.timed(loops))

    async def timed(self, loops: int) -> float:
        cycle, began = self.cycle, process_time()
        for _ in range(loops):
            await cycle()
        return process_time() - began


AWAITED_CYCLES = {AWAITED: aacquire, AWAITED_LEASE: alease, AIOMISC: aiomisc, PSYCOPG_ASYNC: async_psycopg_pool}


def groups() -> Iterator[Group]:
    calls, absent = made({POOLWARE: poolware} | {name: tried(make) for name, make in THREADED.items()})
    names = {f"{call}_{number}": made[call] for number, made in enumerate(calls.values()) for call in made}
    subjects = {name: f"put_{number}(get_{number}())" for number, name in enumerate(calls)}
    yield Group(
        subjects | {LEASE: "with lease(): pass"},
        [Comparison(POOLWARE, name, target=TARGETS.get(name)) for name in THREADED] + [Comparison(LEASE, POOLWARE)],
        names | {"lease": ResourcePool(Thing).lease},
        absent,
    )
    runner = asyncio.Runner()
    cycles, absent = made({name: partial(Awaited, runner, make) for name, make in AWAITED_CYCLES.items()})
    yield Group(
        cycles,
        [Comparison(AWAITED, PSYCOPG_ASYNC), Comparison(AWAITED_LEASE, AIOMISC), Comparison(AWAITED_LEASE, AWAITED)],
        absent=absent,
        check=runner.close,
    )
