"""After a fork the child starts with empty pools of its own (H26)."""

from __future__ import annotations

import itertools
import os
from typing import Any, Protocol
from weakref import WeakValueDictionary


class Forkable(Protocol):
    """A pool that can start anew in a child process."""

    def _after_fork(self) -> None: ...


_pools: WeakValueDictionary[int, Forkable] = WeakValueDictionary()
_numbers = itertools.count()


def _restart_all() -> None:
    for pool in all_pools():
        pool._after_fork()


def all_pools() -> list[Any]:
    """Return every pool of this process, the oldest first."""
    return [pool for reference in _pools.valuerefs() if (pool := reference()) is not None]


def restart_in_child(pool: Forkable) -> None:
    """Have `pool` start anew in every child process forked from this one."""
    _pools[next(_numbers)] = pool


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_all)
