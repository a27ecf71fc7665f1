"""How an arm comes by what a request needs: one module an arm, all with the same functions.

begin(request_id), end(ctx)       the context, where no integration of poolware makes it
scratch(ctx, size, used)          a memoryview of `used` bytes, of a buffer that has room for `size`
compressed(ctx, pieces)           zstd
export(ctx, head, rows)           CSV, in chunks
sqlite(), asqlite()               a connection for a `with`, and for an `async with`
postgres(ctx), apostgres(ctx)     the same for PostgreSQL
made(ctx, kind)                   an object of `objects.KINDS`, for a `with`
"""

import importlib
import os
from typing import Any

VARIABLE = "POOLWARE_COMPARE_KIT"


def chosen() -> Any:
    """Return the module of the kit that the environment names; `pooled` unless it names one."""
    return importlib.import_module(f"{__name__}.{os.environ.get(VARIABLE, 'pooled')}")


def name(kit: Any) -> str:
    """Return what a kit's digests go by: its name, or that of the kit that it varies."""
    return "pooled" if kit.POOLED else str(kit.__name__).rpartition(".")[2]
