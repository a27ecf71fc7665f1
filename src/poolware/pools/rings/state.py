"""Where the slots of a ring are: free, reserved, filled, shown, or consumed and still held."""

from __future__ import annotations

import ctypes
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from poolware.errors import RingClosed, RingMisuse
from poolware.pools.rings.slots import Slot


@dataclass(frozen=True, slots=True)
class RingStats:
    """What a ring has done and holds. Exact whenever no other thread is inside the ring.

    ``slots == free + filled + lent + held`` and ``committed == read + dropped + filled``.
    """

    name: str
    slots: int
    free: int
    filled: int
    """Committed, and not yet looked at."""
    lent: int
    """In the hands of the producer or the consumer."""
    held: int
    """Consumed while somebody, such as a transport that is still sending, held a view."""
    committed: int
    read: int
    """Slots that the consumer has looked at."""
    dropped: int
    """Slots that the consumer never saw: the ring was full, or was closed."""
    producer_waits: int
    """How often the producer found the ring full and waited."""
    consumer_waits: int


class RingState:
    """The transitions of a ring's slots, each of them whole. Nothing here waits.

    Args:
        name: of the ring.
        memory: writable bytes; room for all slots, one more if `spare`.
        slot_size: bytes.
        spare: whether a full ring drops: the spare slot is then what the producer writes to.
        drop_oldest: whether it drops the oldest slot, or what the producer has just written.
    """

    def __init__(self, name: str, memory: memoryview, slot_size: int, *, spare: bool, drop_oldest: bool) -> None:
        self.committed: int = 0
        self.read: int = 0
        self.dropped: int = 0
        self.filled: deque[Slot] = deque()
        self.held: set[Slot] = set()
        self.reserved: Slot | None = None
        self.shown: Slot | None = None
        self.closed: bool = False
        self.ended: bool = False
        self.error: Exception | None = None
        self._lock = threading.RLock()  # the last view of a slot may end inside (H35)
        array_type = ctypes.c_ubyte * slot_size
        starts = range(0, len(memory), slot_size)
        self.free: deque[Slot] = deque(Slot(memory[start : start + slot_size], array_type) for start in starts)
        self.spare: Slot | None = self.free.pop() if spare else None
        self.slots: int = len(self.free)
        self._name = name
        self._drop_oldest = drop_oldest

    def __str__(self) -> str:
        return f"ring {self._name!r} of {self.slots} slots, {len(self.filled)} filled and {len(self.held)} held"

    # --- the producer -------------------------------------------------------------------------------------------------

    def reserve(self) -> memoryview | None:
        """Return a view of a slot to write to; None where there is none."""
        with self._lock:
            self.refuse_if_ended()
            slot = self.reserved = self.free.popleft() if self.free else self.spare
            return None if slot is None else slot.lend_to_writer()

    def commit(self, size: int) -> None:
        """Hand the reserved slot on, or keep it if there is nothing in it or no room for it."""
        with self._lock:
            self.refuse_if_ended()
            if self.reserved is None:
                msg = f"{self}: commit() without reserve(), which comes first"
                raise RingMisuse(msg)
            self._take_reserved(self.reserved, size)

    def unreserve(self) -> bool:
        """Take back what is reserved; return whether there was anything."""
        with self._lock:
            slot = self.reserved
            if slot is not None:
                self._take_reserved(slot, 0)
            return slot is not None

    def end(self, error: Exception | None) -> bool:
        """Let nothing more in, and take back what is reserved; return whether there was anything."""
        with self._lock:
            if self.ended or self.closed:
                return False
            self.ended, self.error = True, error
            return self.unreserve()

    # --- the consumer -------------------------------------------------------------------------------------------------

    def show(self) -> memoryview | None:
        """Return a view of the oldest filled slot, an empty one after the end; None where there is none yet."""
        with self._lock:
            self.refuse_if_closed()
            if not self.filled:
                return memoryview(b"") if self.ended else None
            slot = self.shown = self.filled.popleft()
            self.read += 1
            return slot.lend_to_reader()

    def consume(self, freed: Callable[[], object]) -> None:
        """Be done with the slot that is shown; call `freed` when nobody sees it any more: now, or later."""

        def free(slot: Slot) -> None:
            with self._lock:
                if slot in self.held:
                    self.held.remove(slot)
                    self.free.append(slot)
            freed()

        with self._lock:
            self.refuse_if_closed()
            slot, self.shown = self.shown, None
            if slot is None:
                msg = f"{self}: consume() without peek(), which comes first"
                raise RingMisuse(msg)
            self.held.add(slot)
        slot.take_from_reader(free)  # outside: it may call `freed`, which takes an event loop's lock

    def unshow(self) -> None:
        """Take back what is shown: nobody has seen it."""
        with self._lock:
            slot, self.shown = self.shown, None
            if slot is not None:
                slot.forget()
                self.filled.appendleft(slot)
                self.read -= 1

    # --- both ---------------------------------------------------------------------------------------------------------

    def close(self) -> bool:
        """Forget every slot; whoever has a view keeps it. Return False if that has happened before."""
        with self._lock:
            if self.closed:
                return False
            self.closed, self.error = True, None
            self.dropped += len(self.filled)
            self.reserved = self.shown = self.spare = None
            for slots in (self.free, self.filled, self.held):
                for slot in slots:
                    slot.forget()
                slots.clear()
            return True

    def stats(self, producer_waits: int, consumer_waits: int) -> RingStats:
        """Return all of it at one moment."""
        with self._lock:
            reserved = self.reserved is not None and self.reserved is not self.spare
            return RingStats(
                name=self._name,
                slots=self.slots,
                free=len(self.free),
                filled=len(self.filled),
                lent=reserved + (self.shown is not None),
                held=len(self.held),
                committed=self.committed,
                read=self.read,
                dropped=self.dropped,
                producer_waits=producer_waits,
                consumer_waits=consumer_waits,
            )

    def refuse_if_closed(self) -> None:
        """Raise `RingClosed` if the ring was closed."""
        if self.closed:
            msg = f"{self}: it was closed; a new stream takes a new ring"
            raise RingClosed(msg)

    def refuse_if_ended(self) -> None:
        """Raise `RingClosed` if the ring was closed or ended."""
        self.refuse_if_closed()
        if self.ended:
            msg = f"{self}: its producer has ended it; a new stream takes a new ring"
            raise RingClosed(msg)

    def _take_reserved(self, slot: Slot, size: int) -> None:
        self.reserved = None
        slot.take_from_writer(size)
        self.committed += size > 0
        if size and (slot is not self.spare or self._make_room()):
            self.filled.append(slot)
            return
        self.dropped += size > 0
        slot.wipe()
        if slot is not self.spare:
            self.free.append(slot)

    def _make_room(self) -> bool:
        """Let another slot be the spare one."""
        if self.free:
            self.spare = self.free.popleft()
        elif self._drop_oldest and self.filled:
            self.spare = self.filled.popleft()
            self.spare.wipe()
            self.dropped += 1
        else:
            return False
        return True
