"""The resources of one pool in one process: who has which, and who is next."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

from poolware.errors import PoolClosed
from poolware.pools import creation
from poolware.pools.record import Record
from poolware.pools.resource_settings import Settings
from poolware.pools.traces import stack
from poolware.pools.wait_times import WaitTimes
from poolware.pools.waiting import Queue, Waiter, wake_all

_SAMPLE = 128
"""With ``leak_detection="sampled"``, the stack of one acquisition in so many is noted."""


class Stock:
    """Everything that changes in a pool. What it says is true while its lock is held.

    A record is in exactly one place: resting in `idle`, in `lent`, or in the hands of a hook; `records` knows them all.
    No hook is called under the lock. It is re-entrant, as a finalizer may come back into the pool (H35).
    """

    def __init__(self, settings: Settings, min_size: int, max_size: int) -> None:
        self.settings = settings
        self.trusted_for = settings.trusted_for
        self.min_size = min_size
        self.max_size = max_size
        self.lock = threading.RLock()
        self.idle: deque[Record] = deque()
        """The one that came back last is the last."""
        self.lent: dict[int, Record] = {}
        self.records: dict[int, Record] = {}
        self.queue = Queue(settings.ageing, settings.reserved)
        self.creating: Counter[Any] = Counter()
        """How many are being made, for each event loop; None for what can be used anywhere."""
        self.home: Any = None
        """The event loop for which `min_size` is kept: the last that asked."""
        self.open = True
        self.unhindered = False
        """Whether what rests may be lent without looking any further."""
        self.as_it_is = False
        """Whether what comes back may rest without looking any further."""
        self.quick: deque[Record] | tuple[()] = ()
        """What rests, for the short way: the last is next. Empty where it takes more."""
        self.failures = 0
        """How often the factory has failed in a row."""
        self.last_error: Exception | None = None
        self.emptied: list[Any] = []
        """Whom to wake when nothing is in use any more."""
        self.grown: list[Any] = []
        """Whom to wake when something has been made."""
        self.released = 0
        self.counts: Counter[str] = Counter()
        self.destroyed: Counter[str] = Counter()
        self.peak = 0
        self.wait_times = WaitTimes()
        self.wait_total = self.wait_max = self.hold_total = self.hold_max = 0.0
        self.look()

    # --- under the lock -----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Find out whether the short ways are open."""
        settings = self.settings
        self.unhindered = self.open and not self.queue and not any(settings.reserved) and self.excess() <= 0
        self.as_it_is = self.unhindered and settings.rests_as_it_is
        self.quick = self.idle if self.unhindered and settings.short_way else ()

    def size(self) -> int:
        """Resources that exist or are being made."""
        return len(self.records) + self.creating.total()

    def out(self) -> int:
        """Resources that do not rest: lent, or in the hands of a hook."""
        return len(self.records) - len(self.idle)

    def excess(self) -> int:
        """By how many they exceed the bound, after a resize."""
        return self.size() - self.max_size

    def next_for(self, loop: Any) -> int | None:
        """Return the place in `idle` of what is to be lent next on `loop`; None if there is nothing for it."""
        if not self.idle:
            return None
        if not self.settings.is_async:
            return -1 if self.settings.lifo else 0
        fitting = [place for place, record in enumerate(self.idle) if record.loop is loop]
        return fitting[-1 if self.settings.lifo else 0] if fitting else None

    def lend(self, place: int, rank: int, now: float) -> Record:
        """Take what rests at `place` and note that it is in use."""
        record = self.idle[place]
        del self.idle[place]
        record.since = now
        record.rank = rank
        self.lent[id(record.obj)] = record
        self.peak = max(self.peak, len(self.lent))
        return record

    def hand_out(self, record: Record) -> Any:
        """Return the resource to the caller who has been lent it, and note who that is."""
        if self.settings.leak_detection != "off":
            sampled = self.settings.leak_detection == "full" or self.released % _SAMPLE == 0
            record.stack = stack() if sampled else ""
        obj = record.obj  # first: what is lent and held by nobody is taken back
        record.waiter = None
        return obj

    def unlend(self, record: Record) -> None:
        """Undo `lend`: nobody has got it."""
        del self.lent[id(record.obj)]

    def rest(self, record: Record, now: float) -> None:
        """Put what works among what rests."""
        record.since = record.checked = now
        self.idle.append(record)

    def serve(self) -> None:
        """Hand what rests to those who are next."""
        while self.idle:
            waiter = self.queue.first(self.in_use_by_class(), self.max_size - len(self.lent))
            if waiter is None:
                break
            place = self.next_for(waiter.loop)
            if place is None:
                self._serve_other_loops(waiter)
                break
            self._hand_over(place, waiter)
        self.look()

    def in_use_by_class(self) -> list[int]:
        """How many each class uses; looked at only where shares are reserved."""
        used = [0 for _ in self.settings.reserved]
        if any(self.settings.reserved):
            for record in self.lent.values():
                used[record.rank] += 1
        return used

    def tell_everybody(self, error: Exception) -> None:
        """Have everybody who waits raise `error`."""
        waiters = list(self.queue)
        for waiter in waiters:
            waiter.error = error
            self.queue.remove(waiter)
        wake_all(waiter.wakeup for waiter in waiters)
        self.look()

    def must_be_open(self) -> None:
        """Raise `PoolClosed` if the pool lends nothing any more."""
        if not self.open:
            msg = f"pool {self.settings.name!r} is closed: it lends nothing any more"
            raise PoolClosed(msg)

    def note_wait(self, waiter: Waiter) -> None:
        """Count one who had to wait, and got something."""
        waited = time.monotonic() - waiter.arrived
        self.counts["waits"] += 1
        self.wait_total += waited
        self.wait_max = max(self.wait_max, waited)
        self.wait_times.add(waited)

    def figures(self) -> str:
        """Describe what is going on, for a message."""
        longest = time.monotonic() - min((record.since for record in self.lent.values()), default=0.0)
        parts = [f"{len(self.lent)} of {self.max_size} in use"]
        if self.lent:
            parts.append(f"the longest for {longest:.1f} s")
        parts += [f"{len(self.queue)} waiting", f"{self.creating.total()} being made"]
        if self.last_error is not None:
            parts.append(f"the factory has failed {self.failures} times, last with {self.last_error!r}")
        return ", ".join(parts)

    def _hand_over(self, place: int, waiter: Waiter) -> None:
        self.queue.remove(waiter)
        record = self.lend(place, waiter.rank, time.monotonic())
        record.waiter = waiter
        waiter.record = record
        try:
            waiter.wakeup.wake()
        except RuntimeError:  # its loop has ended (H27)
            record.waiter = waiter.record = None
            self.unlend(record)
            self.idle.append(record)

    def _serve_other_loops(self, first: Waiter) -> None:
        """Serve those whose loops have something; who is next must not wait for ever because its own loop has not."""
        for waiter in self.queue:
            place = self.next_for(waiter.loop)
            spare = self.max_size - len(self.lent)
            if place is not None and self.queue.admits(waiter.rank, self.in_use_by_class(), spare):
                self._hand_over(place, waiter)
        if self.idle and self.size() >= self.max_size and not self.creating[first.loop]:
            self.discard([self.idle.popleft()], "other_loop")

    # --- without it ---------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Hand over what is free, and begin to make what is missing."""
        with self.lock:
            self.serve()
            missing = self._missing()
            self.creating.update(missing)
            if not self.open and not self.out():
                wake_all(self.emptied)
        try:
            while missing:
                creation.begin(self, missing.pop())
        except BaseException:  # an interrupt: the others do without
            with self.lock:
                self.creating.subtract(missing)
            raise

    def discard(self, records: Iterable[Record], cause: str) -> None:
        """Let go of `records`, which rest and are lent nowhere any more; they are destroyed in the background."""
        records = list(records)
        self.forget(records, cause)
        creation.undo(self, records)

    def forget(self, records: Iterable[Record], cause: str) -> None:
        """Give up the places of `records`."""
        with self.lock:
            for record in records:
                if self.records.pop(id(record.obj), None) is not None:
                    self.destroyed[cause] += 1

    def _missing(self) -> list[Any]:
        """The loops for which a resource is to be made now."""
        if not self.open:
            return []
        room = self.max_size - self.size()
        if self.failures:  # one at a time, until one succeeds
            room = min(room, 1 - self.creating.total())
        if room <= 0:
            return []
        missing = list((Counter(self._asked_by(waiter) for waiter in self.queue) - self.creating).elements())
        if self.home is not None or not self.settings.is_async:
            missing += [self.home] * (self.min_size - self.size() - len(missing))
        return missing[:room]

    def _asked_by(self, waiter: Waiter) -> Any:
        return waiter.loop if self.settings.is_async else None
