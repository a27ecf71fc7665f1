"""What is pooled in these tests, and the books that every pool has to keep."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, get_args

import pytest

from poolware import Context, ObjectPool, PoolStats
from poolware.pools.stores import StoreName

STORES = get_args(StoreName)
HEARTBEAT = pytest.mark.skipif(sys.platform == "emscripten", reason="there are no threads, and so no heartbeat")


class Tool:
    """An object that notices when two have it at once. Unhashable and without __eq__ worth the name."""

    __hash__: Any = None

    def __init__(self) -> None:
        self.owner: Any = None
        self.resets = 0
        self.broken = False

    def __eq__(self, other: object) -> bool:
        return True

    def reset(self) -> None:
        if self.broken:
            raise ValueError("cannot")
        self.owner = None
        self.resets += 1


def tool_pool(**options: Any) -> ObjectPool[Tool]:
    return ObjectPool(Tool, reset=Tool.reset, **options)


def makers(context: type[Context]) -> dict[str, Callable[..., ObjectPool[Any]]]:
    """Functions that make a pool: of contexts and of tools, with every store."""
    kinds = {"contexts": partial(ObjectPool, context), "tools": tool_pool}
    return {f"{kind}, {store}": partial(make, store=store) for kind, make in kinds.items() for store in STORES}


def use_at_once(pool: ObjectPool[Any], count: int) -> None:
    held = [pool.acquire() for _ in range(count)]
    while held:
        pool.release(held.pop())


def check_books(pool: ObjectPool[Any], *, cleared: int = 0, threads: int = 0) -> PoolStats:
    """Compare the statistics with each other and with what the pool really holds; return them."""
    stats = pool.get_stats()
    assert stats.acquired == stats.released + stats.in_use + stats.lost
    assert stats.acquired == stats.hits + stats.misses
    assert stats.created == stats.idle + stats.in_use + stats.quarantined + stats.destroyed
    causes = (stats.dropped, stats.escaped, stats.expired, stats.reset_errors, stats.validation_failures, cleared)
    assert stats.destroyed == sum(causes)
    assert min(stats.released, stats.hits, stats.destroyed) >= 0
    assert stats.idle == len(pool._idle)
    assert stats.idle <= pool.max_idle
    assert stats.idle + len(pool._kind.lent) <= pool.max_idle + threads
    return stats
