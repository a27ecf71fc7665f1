"""Where a buffer pool's memory rests, and how it is lent: the plain twin of ``compiled.MemoryStore``."""

from __future__ import annotations

import ctypes
import threading
import weakref
from bisect import bisect_left
from operator import mul
from typing import TYPE_CHECKING, Any, NoReturn

from poolware._core.collecting import collecting
from poolware._core.memory import wipe
from poolware._core.proof import SOLE, getrefcount
from poolware._core.tally import Tally, new_tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from poolware._core.memory_file import MemoryFile

_TALLIES = ("acquired", "misses", "created", "grown", "dropped")


class MemoryStore:
    """Lends memory in size tiers as files, and takes it back wiped.

    Memory that is still exported when its file is released is wiped and kept when the last view is gone.

    Args:
        make: what is lent: MemoryFile, or a subclass.
        tiers: ascending sizes in bytes.
        max_size: bytes; no file is larger.
        max_idle: how many of each tier are kept at the most.
        max_idle_bytes: bytes that all kept memory together may have.
        wipe: ``used``, ``full`` or ``none``.
        reuse: whether anything is kept.
        refuse_size: called with a size that is not to be had; raises.
        refuse_file: called with what is released and not in use here; raises.
        abandoned: called when a file was dropped without release.
        lent: called with each file that is lent, or None.
        ended: called with each file that is taken back, or None.
    """

    def __init__(
        self,
        *,
        make: Callable[[Any, bytearray], Any],
        tiers: tuple[int, ...],
        max_size: int,
        max_idle: int,
        max_idle_bytes: int,
        wipe: str,
        reuse: bool,
        refuse_size: Callable[[object], NoReturn],
        refuse_file: Callable[[object], NoReturn],
        abandoned: Callable[[], object],
        lent: Callable[[Any], object] | None,
        ended: Callable[[Any], object] | None,
    ) -> None:
        self._make = make
        self._max_size = max_size
        self._max_idle = max_idle
        self._max_idle_bytes = max_idle_bytes
        self._wipe = wipe
        self._reuse = reuse
        self._refuse_size = refuse_size
        self._refuse_file = refuse_file
        self._abandoned = abandoned
        self._tell_lent = lent
        self._tell_ended = ended
        self.idle: dict[int, list[bytearray]] = {}
        """The memory at rest, by tier."""
        self._lent: set[int] = set()
        self._inherited: set[int] = set()
        self._tallies = {name: new_tally() for name in _TALLIES}
        self._reused: dict[int, Tally] = {}
        """How often memory of each size was used again."""
        self._before_fork = dict.fromkeys(_TALLIES, 0)
        self._saved_before_fork = 0
        self._lock = threading.RLock()  # a finalizer that runs inside may come back into this store (H35)
        self._quarantine: dict[int, tuple[bytearray, list[weakref.ref[Any]]]] = {}
        self.retier(tiers)

    def acquire(self, size: int, /) -> Any:
        """Return an empty file with room for at least `size` bytes, all zero."""
        if type(size) is not int or not 0 <= size <= self._max_size:
            self._refuse_size(size)
        file = self._make(self, self._take(size))
        self._lent.add(id(file))
        self._tallies["acquired"].tick()
        if self._tell_lent:
            self._tell_lent(file)
        return file

    def release(self, file: Any, /) -> None:
        """Take `file` back; refuse one that is not lent."""
        if not self.end(file):
            self._refuse_file(file)

    def end(self, file: Any, /) -> bool:
        """Take `file` back; return whether it was lent."""
        with self._lock:
            if getattr(file, "_store", None) is not self:
                return False
            if id(file) in self._lent:
                self._lent.remove(id(file))
                self._put_back(*file._retire())
            elif id(file) in self._inherited:
                self._inherited.remove(id(file))
                memory, used, *holders = file._retire()
                if not holders:  # a view still shows it
                    wipe(memory, 0, used)
            else:
                return False
        if self._tell_ended:
            self._tell_ended(file)
        return True

    def clear(self) -> None:
        """Let go of all memory at rest."""
        for tier in self.idle.values():
            while tier:
                tier.pop()
                self._tallies["dropped"].tick()

    def trim(self, size: int, count: int, /) -> None:
        """Let go of `count` memories at rest of `size` bytes."""
        tier = self.idle.get(size, [])
        for _ in range(min(count, len(tier))):
            try:
                tier.pop()
            except IndexError:  # another thread was faster
                return
            self._tallies["dropped"].tick()

    def retier(self, tiers: tuple[int, ...], /) -> None:
        """Use tiers of these sizes from now on; memory of other sizes is let go, now or when it comes back."""
        with self._lock:
            before, self.idle = self.idle, {tier: self.idle.get(tier, []) for tier in tiers}
            # ctypes itself keeps an array type only while it is in use, and making one takes longer than all the rest.
            self._array_types = {tier: ctypes.c_ubyte * tier for tier in tiers}
            ticks = tuple(self._reused.setdefault(tier, new_tally()).tick for tier in tiers)
            self._by_size = (tiers, tuple(self.idle.values()), ticks)
        for tier in before.keys() - self.idle.keys():
            for _ in before[tier]:
                self._tallies["dropped"].tick()

    def resting(self) -> dict[int, int]:
        """Return how many memories of each size are at rest."""
        return {tier: len(idle) for tier, idle in list(self.idle.items())}

    def restart(self) -> None:
        """Begin anew, in a child process."""
        self._lock = threading.RLock()
        for tier in self.idle.values():
            tier.clear()
        self._quarantine.clear()
        self._inherited |= self._lent
        self._lent.clear()
        self._before_fork = {name: tally.value for name, tally in self._tallies.items()}
        self._saved_before_fork = self._bytes_saved()

    def watch(self, lent: Callable[[Any], object] | None, ended: Callable[[Any], object] | None, /) -> None:
        """Have these called from now on, instead of those given at the beginning."""
        self._tell_lent, self._tell_ended = lent, ended

    def counts(self) -> dict[str, int]:
        """Return what the store has done and holds."""
        with self._lock:  # not in the middle of a release
            counted = {name: tally.value - self._before_fork[name] for name, tally in self._tallies.items()}
            held = {"in_use": len(self._lent), "quarantined": len(self._quarantine)}
            held |= {"idle": sum(self.resting().values()), "idle_bytes": self._idle_bytes()}
            return counted | held | {"bytes_saved": self._bytes_saved() - self._saved_before_fork}

    # --- memory -------------------------------------------------------------------------------------------------------

    def _take(self, size: int) -> bytearray:
        """Return memory of the tier for `size` that nobody holds, all zero."""
        tiers, stacks, ticks = self._by_size  # at once: they may be changed
        place = bisect_left(tiers, size)
        if place == len(tiers):
            return self._build(size)
        idle = stacks[place]
        for _ in range(len(idle)):
            try:
                storage = idle.pop()
            except IndexError:  # another thread was faster
                break
            if getrefcount(storage) == SOLE:
                ticks[place]()
                return storage
            idle.insert(0, storage)  # a view's last owner is just letting go of it in another thread
        return self._build(tiers[place])

    def _build(self, size: int) -> bytearray:
        storage = bytearray(size)
        self._tallies["created"].tick()
        self._tallies["misses"].tick()
        return storage

    def _larger(self, file: MemoryFile, size: int) -> bytearray:
        """Return larger memory for a file, which gives its own back with `_put_back`."""
        if size > self._max_size:
            self._refuse_size(size)
        if size > self._by_size[0][-1]:
            size = min(max(size, 2 * file.capacity), self._max_size)
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
        if self._wipe != "none":
            wipe(memory, 0, len(storage) if self._wipe == "full" else used)
        tier = self.idle.get(len(storage))
        if tier is None or not (reuse and self._reuse) or len(tier) >= self._max_idle:
            self._tallies["dropped"].tick()
            return
        tier.append(storage)
        if self._idle_bytes() > self._max_idle_bytes:
            try:
                tier.pop()
            except IndexError:  # another thread was faster
                return
            self._tallies["dropped"].tick()

    def _idle_bytes(self) -> int:
        tiers, stacks, _ = self._by_size
        return sum(map(mul, tiers, map(len, stacks)))

    def _bytes_saved(self) -> int:
        return sum(size * tally.value for size, tally in list(self._reused.items()))

    def _abandon(self, file: MemoryFile) -> None:
        """Take back a file that was dropped without release."""
        known = id(file) in self._lent
        if self.end(file) and known:
            self._abandoned()
