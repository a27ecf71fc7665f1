"""poolware: what hangs on the context goes back with it, what is scarce is leased for a block."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from sqlite3 import Connection
from typing import Any

import zstandard

from poolware import ObjectPool, RequestContext, ResourcePool, SecretField, field, secret
from poolware_compare.apps.answers import CHUNK_BYTES, ZSTD_LEVEL
from poolware_compare.apps.connections import POSTGRES_SIZE, new_async_postgres, new_postgres, new_sqlite
from poolware_compare.apps.objects import KINDS, Kind

POOLED = True


class AppContext(RequestContext):
    """What a request carries."""

    tenant: str = ""
    roles: set[str] = field(factory=set)
    token: SecretField = secret()


compressors: ObjectPool[zstandard.ZstdCompressor] = ObjectPool(
    lambda: zstandard.ZstdCompressor(level=ZSTD_LEVEL), reset=None, name="compressors"
)


class Holder:
    """Around an object that refers to itself."""

    __slots__ = ("item",)

    def __init__(self, item: Any) -> None:
        self.item: Any = item


def _pool(name: str, kind: Kind) -> ObjectPool[Any]:
    if kind.refers_to_itself:
        return ObjectPool(lambda: Holder(kind.make()), reset=None, name=name)
    return ObjectPool(kind.make, reset=kind.reset, name=name)


objects: dict[Kind, ObjectPool[Any]] = {kind: _pool(name, kind) for name, kind in KINDS.items()}
sqlite_pool: ResourcePool[Connection] = ResourcePool(new_sqlite, max_size=64, name="sqlite")
postgres_pool: ResourcePool[Any] = ResourcePool(
    new_postgres, min_size=POSTGRES_SIZE, max_size=POSTGRES_SIZE, name="postgres"
)
async_postgres_pool: ResourcePool[Any] = ResourcePool(
    new_async_postgres, min_size=POSTGRES_SIZE, max_size=POSTGRES_SIZE, name="postgres (tasks)"
)
sqlite: Callable[[], AbstractContextManager[Connection]] = sqlite_pool.lease
asqlite: Callable[[], AbstractAsyncContextManager[Connection]] = sqlite_pool.alease


def postgres(_: RequestContext) -> AbstractContextManager[Any]:
    """Lease a connection for one block."""
    return postgres_pool.lease()


def apostgres(_: RequestContext) -> AbstractAsyncContextManager[Any]:
    """Lease a connection for one block, for tasks."""
    return async_postgres_pool.alease()


def scratch(ctx: RequestContext, size: int, used: int) -> memoryview:
    """Return room in a pooled buffer; only what is used is wiped."""
    return ctx.buffer(size).view(0, used)


def compressed(ctx: RequestContext, pieces: Iterable[bytes]) -> bytes:
    """Compress with a pooled compressor."""
    stream = ctx.borrow(compressors).compressobj()
    return b"".join([*map(stream.compress, pieces), stream.flush()])


def export(ctx: RequestContext, head: tuple[str, ...], rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """Yield a CSV file that is built in a pooled buffer first."""
    buffer = ctx.buffer(CHUNK_BYTES)
    with io.TextIOWrapper(buffer, encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(head)
        writer.writerows(rows)
    buffer.seek(0)
    while chunk := buffer.read(CHUNK_BYTES):
        yield chunk


def made(ctx: RequestContext, kind: Kind) -> nullcontext[Any]:
    """Return a pooled object."""
    borrowed = ctx.borrow(objects[kind])
    return nullcontext(borrowed.item if kind.refers_to_itself else borrowed)
