"""What a careful engineer writes: costly objects are kept in the module, and set back by hand."""

import csv
import io
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from functools import cache
from typing import Any

import zstandard

from poolware_compare.apps.answers import CHUNK_BYTES, ZSTD_LEVEL
from poolware_compare.apps.connections import POSTGRES, POSTGRES_SIZE, new_sqlite
from poolware_compare.apps.kits.idle import Idle, Use
from poolware_compare.apps.objects import KINDS, Kind

POOLED = False
_one_pool = threading.Lock()
"""`cache` would make one for each thread that asks at the start."""


class Context:
    """The fields of a request; `clear` has to be kept in step with them by hand."""

    __slots__ = ("params", "request_id", "response", "roles", "started_at", "tenant", "token", "user")

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self.roles: set[str] = set()
        self.clear()

    def clear(self) -> None:
        """Set every field back to its default."""
        self.params.clear()
        self.roles.clear()
        self.request_id: str = ""
        self.response: Any = None
        self.started_at: float = 0.0
        self.tenant: str = ""
        self.token: str | None = None
        self.user: str | None = None


contexts: Idle = Idle(Context)
compressors: Idle = Idle(lambda: zstandard.ZstdCompressor(level=ZSTD_LEVEL))
texts: Idle = Idle(lambda: io.StringIO(newline=""))
objects: dict[Kind, Idle] = {kind: Idle(kind.make, kind.reset) for kind in KINDS.values()}
sqlite: Idle = Idle(new_sqlite)
asqlite: Idle = sqlite


def begin(request_id: str) -> Context:
    """Return a context that rested, or a new one."""
    ctx: Context = contexts.take()
    ctx.request_id = request_id
    ctx.started_at = time.time()
    return ctx


def end(ctx: Context) -> None:
    """Set the context back and keep it."""
    ctx.clear()
    contexts.items.append(ctx)


@cache
def scratches(size: int) -> Idle:
    """Return the idle buffers of one size."""
    return Idle(lambda: bytearray(size))


@contextmanager
def scratch(_: Any, size: int, used: int) -> Iterator[memoryview]:
    """Give room in an idle buffer, and wipe what was used of it."""
    idle = scratches(size)
    buffer = idle.take()
    try:
        with memoryview(buffer)[:used] as room:
            yield room
    finally:
        buffer[:used] = bytes(used)
        idle.items.append(buffer)


def compressed(_: Any, pieces: Iterable[bytes]) -> bytes:
    """Compress with an idle compressor."""
    with compressors() as compressor:
        stream = compressor.compressobj()
        return b"".join([*map(stream.compress, pieces), stream.flush()])


def export(_: Any, head: tuple[str, ...], rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """Yield a CSV file that is built in an idle text buffer first."""
    with texts() as buffer:
        try:
            writer = csv.writer(buffer)
            writer.writerow(head)
            writer.writerows(rows)
            content = buffer.getvalue().encode()
        finally:
            buffer.seek(0)
            buffer.truncate()
    for start in range(0, len(content), CHUNK_BYTES):
        yield content[start : start + CHUNK_BYTES]


def made(_: Any, kind: Kind) -> Use:
    """Return a use of an idle object."""
    return objects[kind]()


def psycopg_pool() -> Any:
    """Return psycopg's own pool."""
    with _one_pool:
        return _psycopg_pool()


@cache
def _psycopg_pool() -> Any:
    from psycopg_pool import ConnectionPool  # noqa: PLC0415 - this scenario alone needs it

    settings: dict[str, Any] = {"kwargs": {"autocommit": True}, "min_size": POSTGRES_SIZE, "max_size": POSTGRES_SIZE}
    return ConnectionPool(os.environ[POSTGRES], open=True, **settings)


@cache
def async_psycopg_pool() -> Any:
    """Return psycopg's own pool, for tasks; it has to be opened on their loop."""
    from psycopg_pool import AsyncConnectionPool  # noqa: PLC0415

    settings: dict[str, Any] = {"kwargs": {"autocommit": True}, "min_size": POSTGRES_SIZE, "max_size": POSTGRES_SIZE}
    return AsyncConnectionPool(os.environ[POSTGRES], open=False, **settings)


def postgres(_: Any) -> AbstractContextManager[Any]:
    """Return a connection of psycopg's own pool."""
    connection: AbstractContextManager[Any] = psycopg_pool().connection()
    return connection


class Opened:
    """A connection of a pool that is opened on the loop of its first use: not every framework has a start-up hook."""

    __slots__ = ("lease",)

    async def __aenter__(self) -> Any:
        pool = async_psycopg_pool()
        if pool.closed:
            await pool.open()
        self.lease: Any = pool.connection()
        return await self.lease.__aenter__()

    async def __aexit__(self, *error: object) -> Any:
        return await self.lease.__aexit__(*error)


def apostgres(_: Any) -> AbstractAsyncContextManager[Any]:
    """Return a connection of psycopg's own pool, for tasks."""
    return Opened()
