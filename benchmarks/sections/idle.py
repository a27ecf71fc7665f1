"""What resting contexts cost: the next cycle, and the garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import process_time
from typing import Any

from benchmarks.groups import Comparison, Group
from benchmarks.subjects import Ten
from poolware import ObjectPool

FEW, MANY = 10, 1_000_000
HEAP = ("django.contrib.admin.sites", "django.core.handlers.asgi", "starlette.applications", "starlette.templating")
"""An application's own heap, which every collection looks through: what these imports leave behind."""
COUNTS = (FEW, 1000, 100_000, MANY)
TARGET = 1.1


def collected(loops: int) -> float:
    """Return the seconds for so many full collections."""
    began = process_time()
    for _ in range(loops):
        gc.collect()
    return process_time() - began


def collect_on_demand(orders: Connection) -> None:
    """Be the process beside whose heap nothing rests."""
    while True:
        orders.send(collected(orders.recv()))


def groups() -> Iterator[Group]:
    for module in HEAP:
        import_module(module)
    ours, theirs = get_context("fork").Pipe()
    get_context("fork").Process(target=collect_on_demand, args=(theirs,), daemon=True).start()

    def collected_beside_nothing(loops: int) -> float:
        ours.send(loops)
        return float(ours.recv())

    pools = {count: ObjectPool(Ten, max_idle=count, prewarm=count) for count in COUNTS}
    names: dict[str, Any] = {f"acquire_{count}": pool.acquire for count, pool in pools.items()}
    names |= {f"release_{count}": pool.release for count, pool in pools.items()}

    def check() -> None:
        assert all(pool.get_stats().idle == count for count, pool in pools.items())

    yield Group(
        {f"cycle, {count:,} idle": f"release_{count}(acquire_{count}())" for count in COUNTS},
        [Comparison(f"cycle, {count:,} idle", f"cycle, {FEW} idle", target=TARGET) for count in COUNTS[1:]],
        names,
        check=check,
    )
    beside, alone = f"gc.collect(), {MANY:,} idle", "gc.collect(), empty pool"
    yield Group(
        {beside: collected, alone: collected_beside_nothing},
        [Comparison(beside, alone, target=TARGET)],
        repeat=0.25,
        check=check,
    )
