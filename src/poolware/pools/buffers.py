"""BufferPool: memory in size tiers, wiped before it is used again."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args

from poolware._core.core import compiled
from poolware._core.log import logger
from poolware._core.mode import Mode
from poolware._core.options import positive_or_none, whole_number
from poolware._core.proof import REUSE_REFUSED
from poolware._core.tally import new_tally
from poolware.errors import AlreadyLeased, AlreadyReleased, BadOption, BufferSizeError, ForeignObject
from poolware.pools.announce import announced_mode
from poolware.pools.buffer import Buffer
from poolware.pools.calibration import Calibration, Calibrator, MeasuredBuffer
from poolware.pools.events import Source
from poolware.pools.figures import Figures, since
from poolware.pools.forks import restart_in_child
from poolware.pools.heartbeat import Beat, heartbeat
from poolware.pools.ledger import LeakDetection, Ledger, Noted
from poolware.pools.tending.idle_timeout import LOOKS, BufferIdleTimeout
from poolware.pools.watched import WatchedBuffer

if TYPE_CHECKING or compiled is None:
    from poolware._core.memory_store import MemoryStore
else:
    MemoryStore = compiled.MemoryStore

__all__ = ["BufferPool", "BufferStats", "Wipe"]

KIB = 1024
MIB = 1024 * KIB

Wipe = Literal["used", "full", "none"]
"""What is filled with zeros at release: what was used, all of the memory, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferStats(Figures):
    """What a buffer pool has done and holds. Exact whenever no other thread is inside the pool.

    ``acquired == released + in_use``, ``acquired + grown == hits + misses`` and
    ``created == idle + in_use + quarantined + dropped``. Of the `hold` times there are those that leak detection
    takes, in seconds: none, one in 128, or all.
    """

    quarantined: int
    """Released while somebody, such as a transport that is still sending, held a view."""
    idle_bytes: int
    bytes_saved: int
    """Bytes of the memory that hits have used again instead of allocating it."""
    created: int
    grown: int
    """Moves of a buffer to the next tier."""
    dropped: int
    """Memory not kept: no room, larger than all tiers, not needed for the idle timeout, or reuse is off."""
    held_too_long: int
    """Reports because of ``hold_limit``."""
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
        idle_timeout: seconds after which the pool lets go of as much resting memory as nobody has needed meanwhile.
        calibrate: how to change the tiers to the sizes that buffers turn out to need; they stay by default.
        leak_detection: of which acquisitions to note time and stack: ``"off"``, ``"sampled"`` (1 in 128), ``"full"``.
        hold_limit: seconds for which a buffer may be in use before that is logged, if it was noted.
        name: shown in statistics, logs and errors.

    Raises:
        BadOption: an argument has a value that it does not take.
    """

    if TYPE_CHECKING:  # functions that each pool has of its own; pyright takes a Callable attribute for no method

        def acquire(self, size: int, /) -> Buffer:
            """Return an empty buffer with room for at least `size` bytes, all zero.

            Raises `BufferSizeError` for what is no whole number from 0 to `max_size`.
            """

        def release(self, buffer: Buffer, /) -> None:
            """Give `buffer` back. Raises `AlreadyReleased` the second time, `ForeignObject` if it is not from here."""

    def __init__(
        self,
        *,
        tiers: Sequence[int] = (KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB),
        max_size: int = 64 * MIB,
        max_idle: int = 64,
        max_idle_bytes: int = 64 * MIB,
        wipe: Wipe = "used",
        idle_timeout: float | None = None,
        calibrate: Calibration | None = None,
        leak_detection: LeakDetection = "off",
        hold_limit: float | None = None,
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
        self._events: Source = Source(name, self._rewire)
        self._ledger: Ledger = Ledger(name, leak_detection, hold_limit, self._events)
        positive_or_none("idle_timeout", idle_timeout)
        if calibrate is not None and not isinstance(calibrate, Calibration):
            msg = f"calibrate={calibrate!r}: it takes Calibration(…), or None"
            raise BadOption(msg)
        mode = announced_mode()
        reuse = mode is Mode.ON and REUSE_REFUSED is None
        watched = WatchedBuffer if mode is Mode.DEBUG else None
        measured = MeasuredBuffer if calibrate and reuse else None
        self._calibrator = Calibrator(calibrate, self.max_size) if calibrate and reuse else None
        self._lent = watched and watched.note_acquired
        self._ended = watched.note_released if watched else self._calibrator.note if self._calibrator else None
        self._store = MemoryStore(
            make=watched or measured or Buffer,
            tiers=self.tiers,
            max_size=self.max_size,
            max_idle=self.max_idle,
            max_idle_bytes=self.max_idle_bytes,
            wipe=self.wipe,
            reuse=reuse,
            refuse_size=self._refuse_size,
            refuse_file=self._refuse,
            abandoned=self._abandoned,
            lent=self._lent,
            ended=self._ended,
        )
        self._rewire()
        self.acquire, self.release = self._store.acquire, self._store.release  # type: ignore[method-assign]
        self._refused = new_tally()
        self._refused_before_fork = 0
        self._lock = threading.RLock()
        self._popped: BufferStats | None = None
        self.at_end: AtEnd = AtEnd(self)
        self._beats: list[Beat] = []
        if idle_timeout is not None and reuse:
            self._timeout = BufferIdleTimeout(self._store)
            self._beats.append(heartbeat.every(idle_timeout / LOOKS, self._timeout.beat))
        if calibrate is not None and reuse:
            self.acquire = self._measuring(self._store.acquire)  # type: ignore[method-assign]
            self._beats.append(heartbeat.every(calibrate.period, self._calibrate))
        if hold_limit is not None:
            self._beats.append(heartbeat.every(hold_limit, self._look_for_leaks))
        restart_in_child(self)

    def lease(self, size: int) -> BufferLease:
        """Return a context manager that acquires a buffer and releases it at the end of the block."""
        return BufferLease(self, size)

    def clear(self) -> None:
        """Let go of all resting memory."""
        idle = sum(self._store.resting().values())
        self._store.clear()
        self._events.tell("clear", size=idle)

    def close(self) -> None:
        """Let go of all resting memory, and look after the pool no more."""
        while self._beats:
            self._beats.pop().stop()
        self.clear()

    def get_stats(self) -> BufferStats:
        """Return what the pool has done and holds."""
        count = self._store.counts()
        return BufferStats(
            name=self.name,
            released=count["acquired"] - count["in_use"],
            hits=count["acquired"] + count["grown"] - count["misses"],
            refused=self._refused.value - self._refused_before_fork,
            hold=self._ledger.times(),
            held_too_long=self._ledger.held_too_long,
            **count,
        )

    def pop_stats(self) -> BufferStats:
        """Return the same, with counts and times of what has happened since the last call, or the beginning.

        What all calls return adds up to what `get_stats` says.
        """
        with self._lock:
            now = self.get_stats()
            period = since(now, self._popped, hold=self._ledger.pop())
            self._popped = now
            return period

    def __repr__(self) -> str:
        stats = self.get_stats()
        return f"<BufferPool {self.name!r}: {stats.idle} idle, {stats.in_use} in use, {stats.quarantined} quarantined>"

    def _measuring(self, acquire: Callable[[int], Buffer]) -> Callable[[int], Buffer]:
        def measure(size: int) -> Buffer:
            buffer: Any = acquire(size)
            buffer._asked = size
            return buffer  # type: ignore[no-any-return]

        return measure

    def _calibrate(self) -> None:
        tiers = self._calibrator and self._calibrator.tiers()
        if tiers and tiers != self.tiers:
            logger.info("pool %r: tiers of %s bytes", self.name, ", ".join(map(str, tiers)))
            self._store.retier(tiers)
            self.tiers = tiers

    def _refuse_size(self, size: object) -> NoReturn:
        most = f"max_size={self.max_size}"
        msg = f"pool {self.name!r}: a buffer of {size!r} bytes; it takes a whole number from 0 to {most}"
        raise BufferSizeError(msg)

    def _refuse(self, buffer: object) -> NoReturn:
        self._refused.tick()
        if getattr(buffer, "_store", None) is self._store:
            msg = f"pool {self.name!r}: this buffer has already been released; once is enough, or use pool.lease()"
            raise AlreadyReleased(msg)
        what = f"pool {self.name!r}: {type(buffer).__name__} object is not from this pool"
        msg = f"{what}; release it where it was acquired"
        raise ForeignObject(msg)

    def _rewire(self) -> None:
        """Have the store tell of each buffer while somebody watches, and only then."""
        if self._ledger.wanted:
            self._store.watch(self._tell_lent, self._tell_ended)
        else:
            self._store.watch(self._lent, self._ended)
            self._ledger.forget()

    def _tell_lent(self, buffer: Buffer) -> None:
        if self._lent:
            self._lent(buffer)  # type: ignore[arg-type]
        self._ledger.taken(buffer, buffer.capacity)

    def _tell_ended(self, buffer: Buffer) -> None:
        if self._ended:
            self._ended(buffer)  # type: ignore[arg-type]
        self._ledger.given(buffer)

    def _look_for_leaks(self) -> None:
        notes = self._ledger.notes()
        self._ledger.report(lambda key: f"a buffer of {notes[key].size} bytes" if key in notes else "a buffer")

    def _noted(self) -> list[Noted]:
        """Return what is in use and was noted. The store does not hold its buffers, but the collector knows them."""
        notes = self._ledger.notes()
        found = [obj for obj in gc.get_objects() if id(obj) in notes and isinstance(obj, Buffer)]
        return [Noted(obj, *notes[id(obj)][:2], ()) for obj in found if notes[id(obj)].stack]

    def _abandoned(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        # A process that ends drops everything, and at last what this module is made of: hence the default (H35).
        if not ending():
            logger.warning("pool %r: a buffer was dropped without release; its memory was taken back", self.name)

    def _after_fork(self) -> None:
        self._store.restart()
        self._refused_before_fork = self._refused.value
        self._lock = threading.RLock()
        self._popped = None
        self._ledger.restart()


class AtEnd:
    """The pool as a context's end sees it: a buffer that its user has released by hand is none of its business."""

    __slots__ = ("_pool",)

    def __init__(self, pool: BufferPool) -> None:
        self._pool = pool

    def release(self, buffer: Buffer) -> None:
        """Take `buffer` back unless that has happened."""
        self._pool._store.end(buffer)

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
