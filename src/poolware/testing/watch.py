"""What a piece of code borrowed and did not give back, kept, or used after its end."""

from __future__ import annotations

import gc
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, NamedTuple

from poolware._core import misuse
from poolware._core.mode import Mode, current_mode
from poolware.errors import PartHeld
from poolware.observe.holders import holders
from poolware.pools.buffer import Buffer
from poolware.pools.buffers import BufferPool
from poolware.pools.forks import all_pools
from poolware.pools.objects import ObjectPool
from poolware.pools.resources import ResourcePool
from poolware.pools.resources.record import Record

__all__ = ["Finding", "Watch", "watch"]

_SHOWN = 20
"""Findings of which a message tells: one mistake makes one with every request."""
_LOOKS = 20
_PAUSE = 0.05


@dataclass(frozen=True)
class Finding:
    """Something that should not have happened."""

    kind: Literal["leaked", "escaped", "used after release", "part held"]
    message: str
    """Which object, who acquired it as far as known, and who holds it."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


class Watch:
    """Compares the pools of this process with what they were at its start. Made by `watch`."""

    def __init__(self) -> None:
        self.misused: list[Finding] = []
        """Uses after release so far; a test that provokes one on purpose clears the list."""
        self._known = {id(obj) for pool in _object_pools() for obj in chain(_in_use(pool), pool._quarantine)}
        self._known |= {id(buffer) for pool in _buffer_pools() for buffer in _lent_buffers(pool)}
        self._uses = {_use(record) for pool in _resource_pools() for record in _lent_resources(pool)}
        self._let_go = {id(pool): _let_go(pool) for pool in _object_pools()}
        self._let_go |= {id(pool): _let_go(pool) for pool in _resource_pools()}

    def findings(self) -> list[Finding]:
        """Return all that is wrong now: leaked, escaped, used after release, part held."""
        let_go = list(self._let_go_since())
        suspects = list(self._suspects())  # the lists from which they come are gone by the time they are described
        leaked = [*self._leaked_buffers(), *self._leaked_resources()]
        return [*self.misused, *map(_describe, suspects), *leaked, *let_go]

    def check(self) -> None:
        """Raise AssertionError if anything is found, after waiting up to a second for what is just ending elsewhere."""
        for _ in range(_LOOKS):
            gc.collect()
            missing = chain(map(self._missing, _buffer_pools()), map(self._out, _resource_pools()))
            if not (any(True for _ in self._suspects()) or any(missing)):
                break
            time.sleep(_PAUSE)
        found = self.findings()
        if found:
            hint = "" if current_mode() is Mode.DEBUG else "\nPOOLWARE_MODE=debug shows where each was acquired."
            more = f"\n… and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            told = "\n".join(map(str, found[:_SHOWN]))
            msg = f"{len(found)} finding{'s' * (len(found) > 1)}\n{told}{more}{hint}"
            raise AssertionError(msg)

    def _suspects(self) -> Iterator[_Suspect]:
        """Yield each object that was borrowed since the start and is not back, or not let go of."""
        for pool in _object_pools():
            pool.get_stats()  # for which a pool looks at all that it has
            yield from (_Suspect("leaked", pool, obj) for obj in _in_use(pool) if id(obj) not in self._known)
            yield from (_Suspect("escaped", pool, obj) for obj in pool._quarantine if id(obj) not in self._known)

    def _leaked_buffers(self) -> Iterator[Finding]:
        for pool in _buffer_pools():
            if missing := self._missing(pool):
                held = [line for buffer in missing for line in holders(buffer, ignore=[missing])]
                what = f"{len(missing)} buffers of pool {pool.name!r} were not released"
                yield Finding("leaked", _with_holders(what, held))

    def _missing(self, pool: BufferPool) -> list[Buffer]:
        return [buffer for buffer in _lent_buffers(pool) if id(buffer) not in self._known]

    def _leaked_resources(self) -> Iterator[Finding]:
        for pool in _resource_pools():
            for record in self._out(pool):
                what = f"{object.__repr__(record.obj)} of pool {pool.name!r} was not released"
                if record.stack:
                    what += f"\nAcquired at:\n{record.stack}"
                yield Finding("leaked", _with_holders(what, holders(record.obj, ignore=[record])))

    def _out(self, pool: ResourcePool[Any]) -> list[Record]:
        return [record for record in _lent_resources(pool) if _use(record) not in self._uses]

    def _let_go_since(self) -> Iterator[Finding]:
        pools: Iterable[ObjectPool[Any] | ResourcePool[Any]] = chain(_object_pools(), _resource_pools())
        for pool in pools:
            lost, escaped = _let_go(pool)
            lost_before, escaped_before = self._let_go.get(id(pool), (0, 0))
            if lost > lost_before:
                yield Finding("leaked", f"pool {pool.name!r}: {lost - lost_before} objects were dropped unreleased")
            if escaped > escaped_before:
                many = escaped - escaped_before
                yield Finding("escaped", f"pool {pool.name!r}: {many} objects more than the quarantine takes were held")

    def _notice(self, error: Exception) -> None:
        if isinstance(error, PartHeld):
            self.misused.append(Finding("part held", str(error)))
        else:
            used_at = "".join(traceback.format_stack()[:-3])
            self.misused.append(Finding("used after release", f"{error}\nUsed at:\n{used_at}"))


class _Suspect(NamedTuple):
    kind: Literal["leaked", "escaped"]
    pool: ObjectPool[Any]
    obj: Any


def _describe(suspect: _Suspect) -> Finding:
    kind, pool, obj = suspect
    known = (suspect, pool._kind.lent, pool._surplus, pool._quarantine._waiting)
    what = "was not released" if kind == "leaked" else "is still held after its release"
    return Finding(kind, _with_holders(f"{pool._kind.tell(obj)} {what}", holders(obj, ignore=known)))


@contextmanager
def watch() -> Iterator[Watch]:
    """Fail with an AssertionError if what was borrowed in the block was not released, escaped, or was used too late.

    "Escaped" means that somebody still holds an object after its release; of resources only leaks are seen. Uses after
    release count also where the application swallowed the error. An exception of the block itself goes first.

        with watch():
            client.get("/orders/17")
    """
    watching = Watch()
    misuse.observers.append(watching._notice)
    try:
        yield watching
    finally:
        misuse.observers.remove(watching._notice)
    watching.check()


def _object_pools() -> list[ObjectPool[Any]]:
    return [pool for pool in all_pools() if isinstance(pool, ObjectPool)]


def _buffer_pools() -> list[BufferPool]:
    return [pool for pool in all_pools() if isinstance(pool, BufferPool)]


def _resource_pools() -> list[ResourcePool[Any]]:
    return [pool for pool in all_pools() if isinstance(pool, ResourcePool)]


def _lent_resources(pool: ResourcePool[Any]) -> list[Record]:
    with pool._stock.lock:
        return [record for record in pool._stock.lent.values() if record.waiter is None]


def _use(record: Record) -> tuple[int, float]:
    return id(record), record.since


def _lent_buffers(pool: BufferPool) -> list[Buffer]:
    if not pool.get_stats().in_use:
        return []
    buffers = [obj for obj in gc.get_objects() if issubclass(type(obj), Buffer)]
    return [buffer for buffer in buffers if buffer._store is pool._store and not buffer.closed]


def _in_use(pool: ObjectPool[Any]) -> list[Any]:
    return [*pool._kind.holdings(), *pool._surplus.values()]


def _let_go(pool: ObjectPool[Any] | ResourcePool[Any]) -> tuple[int, int]:
    stats = pool.get_stats()
    return stats.lost, getattr(stats, "escaped", 0)


def _with_holders(what: str, held: list[str]) -> str:
    return "\n  ".join([what, *(f"held by {line}" for line in held)])
