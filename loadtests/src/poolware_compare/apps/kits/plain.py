"""What people write first: everything is made for the request that needs it."""

import csv
import io
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, nullcontext
from sqlite3 import Connection
from types import SimpleNamespace
from typing import Any

import zstandard

from poolware_compare.apps.answers import CHUNK_BYTES, ZSTD_LEVEL
from poolware_compare.apps.connections import new_async_postgres, new_postgres, new_sqlite
from poolware_compare.apps.kits.fresh import Fresh
from poolware_compare.apps.objects import Kind

POOLED = False


def sqlite() -> Fresh[Connection]:
    """Connect for one block."""
    return Fresh(new_sqlite)


asqlite: Callable[[], Fresh[Connection]] = sqlite


def postgres(_: Any) -> Fresh[Any]:
    """Connect for one block."""
    return Fresh(new_postgres)


@asynccontextmanager
async def apostgres(_: Any) -> AsyncIterator[Any]:
    """Connect for one block."""
    async with await new_async_postgres() as connection:
        yield connection


def begin(request_id: str) -> SimpleNamespace:
    """Return a new context."""
    return SimpleNamespace(
        request_id=request_id,
        started_at=time.time(),
        user=None,
        params={},
        response=None,
        tenant="",
        roles=set(),
        token=None,
    )


def end(_: SimpleNamespace) -> None:
    """Leave the context to the interpreter."""


def scratch(_: Any, size: int, used: int) -> memoryview:
    """Return room in a new buffer."""
    return memoryview(bytearray(size))[:used]


def compressed(_: Any, pieces: Iterable[bytes]) -> bytes:
    """Compress with a new compressor."""
    stream = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj()
    return b"".join([*map(stream.compress, pieces), stream.flush()])


def export(_: Any, head: tuple[str, ...], rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """Yield a CSV file that is built in memory first."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(head)
    writer.writerows(rows)
    content = buffer.getvalue().encode()
    for start in range(0, len(content), CHUNK_BYTES):
        yield content[start : start + CHUNK_BYTES]


def made(_: Any, kind: Kind) -> nullcontext[Any]:
    """Return a new object."""
    return nullcontext(kind.make())
