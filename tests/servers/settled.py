"""What must hold once the requests have ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .client import get
from .serving import Running

LOOKS = 250


def report(server: Running) -> dict[str, Any]:
    """Return what the app says about itself."""
    return get(server.port, "/control").json


def settled(server: Running, begun: int | None = None) -> dict[str, Any]:
    """Wait, a bounded number of looks, until nothing is in use or quarantined; return the last report.

    With `begun`, wait also until the app has seen so many requests. What is still held after the first looks is held by
    a cycle, as a traceback is; the server is then told to collect its garbage, as it would by itself after a while.
    """
    for look in range(LOOKS):
        seen = report(server)
        if not _out(seen) and (begun is None or seen["begun"] >= begun):
            return seen
        time.sleep(0.05)
        if look % 10 == 9:
            get(server.port, "/control/collect")
    msg = f"not everything came back: {_out(seen)}\n{seen}"
    raise AssertionError(msg)


def wait_until(condition: Callable[[], bool], looks: int = 4 * LOOKS) -> None:
    """Wait, a bounded number of looks, until `condition` holds."""
    for _ in range(looks):
        if condition():
            return
        time.sleep(0.02)
    msg = "it did not happen"
    raise AssertionError(msg)


def balanced(seen: dict[str, Any]) -> None:
    """Check what the documentation of PoolStats and BufferStats says always holds."""
    for name in ("contexts", "objects"):
        pool = seen[name]
        assert pool["acquired"] == pool["released"] + pool["in_use"] + pool["lost"], pool
        assert pool["acquired"] == pool["hits"] + pool["misses"], pool
        assert pool["created"] == pool["idle"] + pool["in_use"] + pool["quarantined"] + pool["destroyed"], pool
        assert pool["lost"] == pool["refused"] == pool["reset_errors"] == 0, pool
    buffers = seen["buffers"]
    assert buffers["acquired"] == buffers["released"] + buffers["in_use"], buffers
    assert buffers["created"] == sum(buffers[part] for part in ("idle", "in_use", "quarantined", "dropped")), buffers
    assert buffers["refused"] == 0, buffers


def _out(seen: dict[str, Any]) -> dict[str, int]:
    pools = [name for name, value in seen.items() if isinstance(value, dict)]
    out = {f"{pool} {state}": seen[pool][state] for pool in pools for state in ("in_use", "quarantined")}
    return {what: count for what, count in out.items() if count}
