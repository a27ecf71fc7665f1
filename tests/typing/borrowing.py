"""What ``ctx.borrow`` and ``await ctx.aborrow`` return, of poolware's pools and of others."""

from __future__ import annotations

import queue
import sqlite3
from typing import Any, assert_type

import psycopg
import psycopg_pool
import redis
import redis.asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, sessionmaker

from poolware import Buffer, ObjectPool, RequestContext, ResourcePool


class Compressor:
    def flush(self) -> bytes:
        return b""


class Counted:
    """A pool of the application's own."""

    def acquire(self) -> Compressor:
        return Compressor()

    def release(self, obj: Compressor) -> None: ...


class AsyncCounted:
    async def acquire(self) -> Compressor:
        return Compressor()

    async def release(self, obj: Compressor) -> None: ...


def own_pools(
    ctx: RequestContext, compressors: ObjectPool[Compressor], database: ResourcePool[sqlite3.Connection]
) -> None:
    assert_type(ctx.borrow(compressors), Compressor)
    assert_type(ctx.borrow(database), sqlite3.Connection)
    assert_type(ctx.borrow(Counted()), Compressor)
    assert_type(ctx.buffer(1024), Buffer)
    ctx.borrow(42)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    ctx.buffer("much")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def own_async_pools(ctx: RequestContext, database: ResourcePool[Compressor]) -> None:
    assert_type(await ctx.aborrow(database), Compressor)
    assert_type(await ctx.aborrow(AsyncCounted()), Compressor)
    await ctx.aborrow(Counted())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]


def psycopg_pools(
    ctx: RequestContext,
    pool: psycopg_pool.ConnectionPool[psycopg.Connection[tuple[Any, ...]]],
    plain: psycopg_pool.ConnectionPool,
) -> None:
    assert_type(ctx.borrow(pool), psycopg.Connection[tuple[Any, ...]])
    assert_type(ctx.borrow(plain), psycopg.Connection[tuple[Any, ...]])


async def async_psycopg_pools(ctx: RequestContext, pool: psycopg_pool.AsyncConnectionPool) -> None:
    assert_type(await ctx.aborrow(pool), psycopg.AsyncConnection[tuple[Any, ...]])


def sqlalchemy(ctx: RequestContext, engine: sa.Engine, sessions: sessionmaker[Session], pool: sa.Pool) -> None:
    assert_type(ctx.borrow(engine), sa.Connection)
    assert_type(ctx.borrow(sessions), Session)
    assert_type(ctx.borrow(pool), sa.PoolProxiedConnection)


async def async_sqlalchemy(
    ctx: RequestContext, engine: AsyncEngine, sessions: async_sessionmaker[AsyncSession]
) -> None:
    assert_type(await ctx.aborrow(engine), AsyncConnection)
    assert_type(await ctx.aborrow(sessions), AsyncSession)
    ctx.borrow(engine)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]


def queues(ctx: RequestContext, waiting: queue.Queue[Compressor], last: queue.LifoQueue[Compressor]) -> None:
    assert_type(ctx.borrow(waiting), Compressor)
    assert_type(ctx.borrow(last), Compressor)


def redis_pools(ctx: RequestContext, pool: redis.ConnectionPool) -> None:
    assert_type(ctx.borrow(pool), Any)


async def async_redis_pools(ctx: RequestContext, pool: redis.asyncio.ConnectionPool) -> None:
    assert_type(await ctx.aborrow(pool), Any)
