"""BufferPool: memory in size tiers, wiped before it is used again."""

from __future__ import annotations

import ctypes
import sys
import threading
import weakref
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import mul
from typing import Any, Literal, get_args

from poolware._core.collecting import collecting
from poolware._core.log import logger
from poolware._core.memory import wipe
from poolware._core.mode import Mode
from poolware._core.options import whole_number
from poolware._core.proof import REUSE_REFUSED, SOLE, getrefcount
from poolware._core.tally import new_tally
from poolware.errors import AlreadyLeased, AlreadyReleased, BadOption, BufferSizeError, ForeignObject, ReleaseError
from poolware.pools.announce import announced_mode
from poolware.pools.buffer import Buffer
from poolware.pools.forks import restart_in_child
from poolware.pools.watched import WatchedBuffer

__all__ = ["BufferPool", "BufferStats", "Wipe"]

KIB = 1024
MIB = 1024 * KIB

Wipe = Literal["used", "full", "none"]
"""What is filled with zeros at release: what was used, all of the memory, or nothing."""

_TALLIES = ("acquired", "misses", "created", "grown", "dropped", "refused")


@dataclass(frozen=True, slots=True)
class BufferStats:
    """What a buffer pool has done and holds. Exact whenever no other thread is inside the pool.

    ``acquired == released + in_use`` and ``created == idle + in_use + quarantined + dropped``.
    """

    name: str
    idle: int
    in_use: int
    quarantined: int
    """Released while somebody, such as a transport that is still sending, held a view."""
    idle_bytes: int
    acquired: int
    released: int
    hits: int
    """Acquisitions and growths served with reused memory."""
    misses: int
    created: int
    grown: int
    """Moves of a buffer to the next tier."""
    dropped: int
    """Memory not kept: its tier or the pool was full, it was larger than all tiers, or reuse is off."""
    refused: int
    """Releases that raised: a second one, or of a foreign buffer."""


class BufferPool:
    """Lends buffers and takes them back wiped. Thread-safe; never waits.

    Memory that is still exported when its buffer is released, as a view in a transport's queue, is wiped and kept when
    the last view is gone, and not before.

        >>> pool = BufferPool()
        >>> with pool.lease(64 * 1024) as buf:
        ...     buf.write(b"spam")
        4

    Args:
        tiers: ascending sizes in bytes. A buffer gets the smallest tier it fits in; above the largest it is built to
            size and dropped afterwards.
        max_size: bytes; no buffer is larger (H42), and no tier: those above it are cut to this size.
        max_idle: how many of each tier are kept at the most.
        max_idle_bytes: bytes that all kept memory together may have.
        wipe: ``used`` fills with zeros what was used, ``full`` all of the memory, ``none`` nothing.
        name: shown in statistics, logs and errors.

    Raises:
        BadOption: an argument has a value that it does not take.
    """

    def __init__(
        self,
        *,
        tiers: Sequence[int] = (KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB),
        max_size: int = 64 * MIB,
        max_idle: int = 64,
        max_idle_bytes: int = 64 * MIB,
        wipe: Wipe = "used",
        name: str = "buffers",
    ) -> None:
        self.name = name
        self.max_size: int = whole_number("max_size", max_size, at_least=1)
        self.tiers: tuple[int, ...] = _checked_tiers(tiers, self.max_size)
        self.max_idle: int = whole_number("max_idle", max_idle)
        self.max_idle_bytes: int = whole_number("max_idle_bytes", max_idle_bytes)
        if wipe not in get_args(Wipe):
            msg = f"wipe={wipe!r}: it takes 'used', 'full' or 'none'"
            raise BadOption(msg)
        self.wipe = wipe
        mode = announced_mode()
        self._reuse = mode is Mode.ON and REUSE_REFUSED is None
        self._make = WatchedBuffer if mode is Mode.DEBUG else Buffer
        self._tallies = {name: new_tally() for name in _TALLIES}
        self._before_fork = dict.fromkeys(_TALLIES, 0)
        self._idle: dict[int, list[bytearray]] = {tier: [] for tier in self.tiers}
        self._stacks = tuple(self._idle.values())
        # ctypes itself keeps an array type only while it is in use, and making one takes longer than all the rest.
        self._array_types = {tier: ctypes.c_ubyte * tier for tier in self.tiers}
        self._lent: set[int] = set()
        self._inherited: set[int] = set()
        self.at_end: AtEnd = AtEnd(self)
        self._lock = threading.RLock()  # a finalizer that runs inside may come back into this pool (H35)
        self._quarantine: dict[int, tuple[bytearray, list[weakref.ref[Any]]]] = {}
        restart_in_child(self)

    def acquire(self, size: int) -> Buffer:
        """Return an empty buffer with room for at least `size` bytes, all zero.

        Raises:
            BufferSizeError: `size` is no whole number from 0 to `max_size`.
        """
        if type(size) is not int or not 0 <= size <= self.max_size:
            msg = (
                f"pool {self.name!r}: a buffer of {size!r} bytes; the size is a whole number from 0 to {self.max_size}"
            )
            raise BufferSizeError(msg)
        storage = self._take(size)
        buffer = self._make(self, storage)
        self._lent.add(id(buffer))
        self._tallies["acquired"].tick()
        return buffer

    def release(self, buffer: Buffer) -> None:
        """Take `buffer` back.

        Raises:
            AlreadyReleased: it was released before.
            ForeignObject: it is not from this pool.
        """
        if not self._end(buffer):
            raise self._refusal(buffer)

    def lease(self, size: int) -> BufferLease:
        """Return a context manager that acquires a buffer and releases it at the end of the block."""
        return BufferLease(self, size)

    def clear(self) -> None:
        """Let go of all resting memory."""
        for tier in self._idle.values():
            while tier:
                tier.pop()
                self._tallies["dropped"].tick()

    def get_stats(self) -> BufferStats:
        """Return what the pool has done and holds."""
        count = {name: tally.value - self._before_fork[name] for name, tally in self._tallies.items()}
        in_use = len(self._lent)
        return BufferStats(
            name=self.name,
            idle=sum(map(len, self._idle.values())),
            in_use=in_use,
            quarantined=len(self._quarantine),
            idle_bytes=self._idle_bytes(),
            released=count["acquired"] - in_use,
            hits=count["acquired"] + count["grown"] - count["misses"],
            **count,
        )

    def __repr__(self) -> str:
        idle, held = sum(map(len, self._idle.values())), len(self._quarantine)
        return f"<BufferPool {self.name!r}: {idle} idle, {len(self._lent)} in use, {held} quarantined>"

    # --- memory -------------------------------------------------------------------------------------------------------

    def _take(self, size: int) -> bytearray:
        """Return memory of the tier for `size` that nobody holds, all zero."""
        place = bisect_left(self.tiers, size)
        if place == len(self.tiers):
            return self._build(size)
        idle = self._stacks[place]
        for _ in range(len(idle)):
            try:
                storage = idle.pop()
            except IndexError:  # another thread was faster
                break
            if getrefcount(storage) == SOLE:
                return storage
            idle.insert(0, storage)  # a view's last owner is just letting go of it in another thread
        return self._build(self.tiers[place])

    def _build(self, size: int) -> bytearray:
        storage = bytearray(size)
        self._tallies["created"].tick()
        self._tallies["misses"].tick()
        return storage

    def _larger(self, buffer: Buffer, size: int) -> bytearray:
        """Return larger memory for a buffer, which gives its own back with `_put_back`."""
        if size > self.max_size:
            msg = f"pool {self.name!r}: a buffer of {size} bytes; at most max_size={self.max_size} are to be had"
            raise BufferSizeError(msg)
        if size > self.tiers[-1]:
            size = min(max(size, 2 * buffer.capacity), self.max_size)
        storage = self._take(size)
        self._tallies["grown"].tick()
        return storage

    def _guard(self, memory: memoryview) -> Any:
        """Return an object through which views of `memory` are made: it dies with the last of them."""
        size = len(memory)
        array_type = self._array_types.get(size) or ctypes.c_ubyte * size
        return array_type.from_buffer(memory)

    def _put_back(self, memory: memoryview, used: int, *holders: Any) -> None:
        """Wipe and keep memory: at once, or when the last of `holders`, such as a guard of views, is gone (H07)."""
        storage: Any = memory.obj
        if not holders:
            self._rest(storage, memory, used)
            return
        key = id(storage)

        def let_go(_ref: object) -> None:
            _, waiting = self._quarantine.get(key, (None, ()))
            if all(ref() is None for ref in waiting) and self._quarantine.pop(key, None) is not None:
                self._rest(storage, memoryview(storage), used, reuse=not collecting())

        self._quarantine[key] = (storage, [weakref.ref(holder, let_go) for holder in holders])

    def _rest(self, storage: bytearray, memory: memoryview, used: int, *, reuse: bool = True) -> None:
        """Wipe memory that nobody uses any more, and keep it if there is room.

        Not if the collector is at work: it tells of a view's end first, and runs the finalizers that may still write
        through it afterwards.
        """
        if self.wipe != "none":
            wipe(memory, 0, len(storage) if self.wipe == "full" else used)
        tier = self._idle.get(len(storage))
        if tier is None or not (reuse and self._reuse) or len(tier) >= self.max_idle:
            self._tallies["dropped"].tick()
            return
        tier.append(storage)
        if self._idle_bytes() > self.max_idle_bytes:
            try:
                tier.pop()
            except IndexError:  # another thread was faster
                return
            self._tallies["dropped"].tick()

    def _idle_bytes(self) -> int:
        return sum(map(mul, self.tiers, map(len, self._stacks)))

    def _end(self, buffer: Buffer) -> bool:
        """Take the memory of `buffer` back; False if it is not in use here."""
        with self._lock:
            if getattr(buffer, "_pool", None) is not self:
                return False
            if id(buffer) in self._lent:
                self._lent.remove(id(buffer))
                self._put_back(*buffer._retire())
                return True
            if id(buffer) in self._inherited:
                self._inherited.remove(id(buffer))
                memory, used, *_ = buffer._retire()
                wipe(memory, 0, used)
                return True
        return False

    def _abandon(self, buffer: Buffer) -> None:
        """Take back a buffer that was dropped without release."""
        known = id(buffer) in self._lent
        if self._end(buffer) and known and not sys.is_finalizing():  # a process that ends drops everything
            logger.warning("pool %r: a buffer was dropped without release; its memory was taken back", self.name)

    def _refusal(self, buffer: object) -> ReleaseError:
        self._tallies["refused"].tick()
        if getattr(buffer, "_pool", None) is self:
            return AlreadyReleased(f"pool {self.name!r}: this buffer has already been released")
        return ForeignObject(f"pool {self.name!r}: {type(buffer).__name__} object is not from this pool")

    def _after_fork(self) -> None:
        self._lock = threading.RLock()
        for tier in self._idle.values():
            tier.clear()
        self._quarantine.clear()
        self._inherited |= self._lent
        self._lent.clear()
        self._before_fork = {name: tally.value for name, tally in self._tallies.items()}


class AtEnd:
    """The pool as a context's end sees it: a buffer that its user has released by hand is none of its business."""

    __slots__ = ("_pool",)

    def __init__(self, pool: BufferPool) -> None:
        self._pool = pool

    def release(self, buffer: Buffer) -> None:
        """Take `buffer` back unless that has happened."""
        self._pool._end(buffer)

    def __repr__(self) -> str:
        return repr(self._pool)


class BufferLease:
    """``with pool.lease(size) as buf``: acquires at the start of the block, releases at its end however it is left."""

    __slots__ = ("_buffer", "_pool", "_size")

    def __init__(self, pool: BufferPool, size: int) -> None:
        self._pool = pool
        self._size = size

    def __enter__(self) -> Buffer:
        if hasattr(self, "_buffer"):
            msg = "this lease is in use already; each `with` takes one of its own from pool.lease()"
            raise AlreadyLeased(msg)
        self._buffer = self._pool.acquire(self._size)
        return self._buffer

    def __exit__(self, *exc_info: object) -> None:
        buffer = self._buffer
        del self._buffer
        self._pool.release(buffer)


def _checked_tiers(tiers: Sequence[int], max_size: int) -> tuple[int, ...]:
    if not isinstance(tiers, Sequence) or isinstance(tiers, str | bytes):
        msg = f"tiers={tiers!r}: it takes a list of sizes in bytes"
        raise BadOption(msg)
    sizes = tuple(whole_number("tiers", size, at_least=1) for size in tiers)
    if not sizes or any(low >= high for low, high in pairwise(sizes)):
        msg = f"tiers={tiers!r}: it takes at least one size in bytes, in ascending order"
        raise BadOption(msg)
    return tuple(sorted({min(size, max_size) for size in sizes}))
