"""What pools, leases, handles and rings lend."""

from __future__ import annotations

import sqlite3
from typing import assert_type

from poolware import (
    Buffer,
    BufferPool,
    BufferRing,
    BufferStats,
    Context,
    LeaseRate,
    ObjectPool,
    PoolManager,
    PoolStats,
    RefCounted,
    ResourcePool,
    ResourcePoolStats,
    Watermark,
    field,
)


class Job(Context):
    rows: list[int] = field(factory=list[int])


class AsyncClient:
    async def aclose(self) -> None: ...


def connect() -> sqlite3.Connection:
    return sqlite3.connect(":memory:")


async def aconnect() -> AsyncClient:
    return AsyncClient()


def object_pools() -> None:
    jobs = ObjectPool(Job, growth=Watermark(0.25))
    assert_type(jobs, ObjectPool[Job])
    assert_type(jobs.acquire(), Job)
    with jobs.lease() as job:
        assert_type(job, Job)
    assert_type(jobs.get_stats(), PoolStats)
    scratch: ObjectPool[dict[str, int]] = ObjectPool(dict[str, int], reset=dict[str, int].clear, growth=LeaseRate(2.0))
    with scratch.lease() as counts:
        assert_type(counts, dict[str, int])
    jobs.release(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ObjectPool(Job, store="heap")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ObjectPool(connect, reset=str.lower)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]


def resource_pools() -> None:
    pool = ResourcePool(connect, max_size=4, reset=sqlite3.Connection.rollback)
    assert_type(pool, ResourcePool[sqlite3.Connection])
    assert_type(pool.acquire(timeout=1, priority="high"), sqlite3.Connection)
    with pool.lease() as connection:
        assert_type(connection, sqlite3.Connection)
        pool.release(connection, failed=True)
    assert_type(pool.get_stats(), ResourcePoolStats)
    pool.acquire(priority="urgent")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pool.release("")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def async_resource_pools() -> None:
    pool = ResourcePool(aconnect, destroy=AsyncClient.aclose)
    assert_type(pool, ResourcePool[AsyncClient])
    assert_type(await pool.aacquire(), AsyncClient)
    async with pool.alease(timeout=1) as client:
        assert_type(client, AsyncClient)
    with pool.alease():  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass


def buffers() -> None:
    pool = BufferPool(wipe="full")
    assert_type(pool.acquire(1024), Buffer)
    assert_type(pool.get_stats(), BufferStats)
    with pool.lease(1024) as buffer:
        assert_type(buffer, Buffer)
        assert_type(buffer.write(b"spam"), int)
        assert_type(buffer.view(), memoryview)
    BufferPool(wipe="some")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def handles() -> None:
    pool = BufferPool()
    assert_type(RefCounted(pool, pool.acquire(16)), RefCounted[Buffer])
    with RefCounted.acquire(pool, 1024) as handle:
        assert_type(handle, RefCounted[Buffer])
        assert_type(handle.value, Buffer)
        assert_type(handle.retain().value, Buffer)
    assert_type(RefCounted.acquire(ObjectPool(Job)).value, Job)
    assert_type(RefCounted.acquire(ResourcePool(connect)).value, sqlite3.Connection)
    RefCounted.acquire(pool, "much")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RefCounted(pool, 1)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]


def managers() -> None:
    pools = PoolManager({"buffers": {"kind": "buffer"}})
    assert_type(pools.get("buffers", BufferPool), BufferPool)
    assert_type(pools.get("jobs", ObjectPool[Job]), ObjectPool[Job])
    assert_type(pools.get_or_create("jobs", ObjectPool[Job], Job), ObjectPool[Job])
    assert_type(pools.get_or_create("database", ResourcePool, connect), ResourcePool[sqlite3.Connection])
    pools.get_or_create("buffers", BufferPool, wipe="some")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pools.get("jobs", int)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]


async def rings(data: bytes) -> None:
    with BufferRing(slots=4, when_full="drop_oldest") as ring:
        assert_type(ring.reserve(), memoryview)
        assert_type(await ring.areserve(), memoryview)
        for view in ring:
            assert_type(view, memoryview)
        async for view in ring:
            assert_type(view, memoryview)
    BufferRing(when_full="drop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
