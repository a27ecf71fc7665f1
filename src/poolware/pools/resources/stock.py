"""The resources of one pool in one process: who has which, and who is next."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any
from weakref import WeakSet

from poolware._core.histogram import Histogram
from poolware.errors import ConfigurationError, PoolClosed
from poolware.pools.events import Source
from poolware.pools.ledger import SAMPLE
from poolware.pools.resources import creation
from poolware.pools.resources.record import Record
from poolware.pools.resources.settings import Settings
from poolware.pools.resources.waiting import Queue, Waiter
from poolware.pools.traces import stack

_NO_LOOP: Any = object()


class Place:
    """A place within `max_size` for something that is about to be made."""

    __slots__ = ("__weakref__", "loop")

    def __init__(self, loop: Any) -> None:
        self.loop: Any = loop
        """The event loop for which it is made; None if it can be used anywhere."""


class Stock:
    """Everything that changes in a pool. What it says is true while its lock is held.

    A record is in exactly one place: resting in `idle`, in `lent`, or in the hands of a hook; `records` knows them all.
    No hook is called under the lock. It is re-entrant, as a finalizer may come back into the pool between any two calls
    (H35): it may then take something out of `lent` and append to `idle`, so a copy of these is what is iterated over.
    """

    def __init__(self, settings: Settings, min_size: int, max_size: int, events: Source) -> None:
        self.settings: Settings = settings
        self.events: Source = events
        self.trusted_for: float = settings.trusted_for
        self.min_size: int = min_size
        self.max_size: int = max_size
        self.lock: Any = threading.RLock()
        self.idle: deque[Record] = deque()
        """The one that came back last is the last."""
        self.lent: dict[int, Record] = {}
        self.records: dict[int, Record] = {}
        self.queue: Queue = Queue(settings.ageing, settings.reserved)
        self.creating: WeakSet[Place] = WeakSet()
        """The places of what is being made; one that nobody is about to fill any more frees itself."""
        self.home: Any = None
        """The event loop for which `min_size` is kept: the last that asked."""
        self.open: bool = True
        self.unhindered: bool = False
        """Whether what rests may be lent without looking any further."""
        self.as_it_is: bool = False
        """Whether what comes back may rest without looking any further."""
        self.quick: deque[Record] | tuple[()] = ()
        """What rests, for the short way: the last is next. Empty where it takes more."""
        self.failures: int = 0
        """How often the factory has failed in a row."""
        self.ending: WeakSet[Record] = WeakSet()
        """What is being destroyed: it exists until then."""
        self.last_error: BaseException | None = None
        self.emptied: list[Any] = []
        """Whom to wake when nothing is in use any more."""
        self.grown: list[Any] = []
        """Whom to wake when something has been made."""
        self.sampled: int = 0
        """Acquisitions of which some had their stack noted."""
        self.counts: Counter[str] = Counter()
        self.destroyed: Counter[str] = Counter()
        self.peak: int = 0
        self.wait: Histogram = Histogram()
        self.hold: Histogram = Histogram()
        self.held: list[float] = self.hold.waiting
        self.before: tuple[Histogram, Histogram, int] = (Histogram(), Histogram(), 0)
        """Wait, hold and peak of what was popped."""
        self.look()

    # --- under the lock -----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Find out whether the short ways are open."""
        settings = self.settings
        self.unhindered = self.open and not self.queue and not any(settings.reserved) and self.excess() <= 0
        heard = self.events.heard
        self.as_it_is = self.unhindered and settings.rests_as_it_is and "put" not in heard
        self.quick = self.idle if self.unhindered and settings.short_way and "get" not in heard else ()

    def size(self) -> int:
        """Resources that exist or are being made."""
        return len(self.records) + len(self.creating)

    def out(self) -> int:
        """Resources that do not rest: lent, or in the hands of a hook."""
        return len(self.records) - len(self.idle)

    def excess(self) -> int:
        """By how many they exceed the bound, after a resize."""
        return len(self.records) - self.max_size

    def inside(self) -> bool:
        """Whether this thread is in the middle of something here: a finalizer, or a signal handler, asks (H35)."""
        return self.lock._is_owned()  # type: ignore[no-any-return] # as threading.Condition does

    def next_for(self, loop: Any) -> Record | None:
        """Return what rests and is to be lent next on `loop`; None if there is nothing for it."""
        if not self.idle:
            return None
        if not self.settings.is_async:
            return self.idle[-1 if self.settings.lifo else 0]
        fitting = [record for record in tuple(self.idle) if record.loop is loop]
        return fitting[-1 if self.settings.lifo else 0] if fitting else None

    def lend(self, record: Record, rank: int, now: float) -> Record:
        """Take `record` from what rests, and note that it is in use."""
        self.idle.remove(record)
        record.since = now
        record.rank = rank
        self.lent[id(record.obj)] = record
        self.peak = max(self.peak, len(self.lent))
        return record

    def hand_out(self, record: Record, waited: float = 0.0) -> Any:
        """Return the resource to the caller who has been lent it, and note who that is."""
        if self.settings.leak_detection != "off":
            sampled = self.settings.leak_detection == "full" or self.sampled % SAMPLE == 0
            self.sampled += 1
            record.stack = stack() if sampled else ""
        obj = record.obj  # first: what is lent and held by nobody is taken back
        record.waiter = None
        self.events.tell("get", obj, duration=waited)
        return obj

    def take_idle(self) -> list[Record]:
        """Take all that rests."""
        return [self.idle.popleft() for _ in tuple(self.idle)]

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
            waiter = self.next_waiter()
            if waiter is None:
                break
            record = self.next_for(waiter.loop)
            if record is None:
                self._serve_other_loops(waiter)
                break
            self._hand_over(record, waiter)
        self.look()

    def next_waiter(self) -> Waiter | None:
        """Return who is next; None if nobody waits, or may have anything."""
        if not self.queue:
            return None
        return self.queue.first(self.in_use_by_class(), self.max_size - len(self.lent))

    def in_use_by_class(self) -> list[int]:
        """How many each class uses; looked at only where shares are reserved."""
        used = [0 for _ in self.settings.reserved]
        if any(self.settings.reserved):
            for record in tuple(self.lent.values()):
                used[record.rank] += 1
        return used

    def tell_everybody(self, error: Exception) -> None:
        """Have everybody who waits raise `error`."""
        waiters = list(self.queue)
        for waiter in waiters:
            waiter.error = error
            self.queue.remove(waiter)
            waiter.wakeup.wake()
        self.look()

    def tell_of_growth(self) -> None:
        """Have those look who wait until the pool is ready."""
        for wakeup in self.grown:
            wakeup.wake()

    def must_be_open(self) -> None:
        """Raise `PoolClosed` if the pool lends nothing any more."""
        if not self.open:
            msg = f"pool {self.settings.name!r} is closed: it lends nothing any more"
            raise PoolClosed(msg)

    def figures(self) -> str:
        """Describe what is going on, for a message."""
        longest = time.monotonic() - min((record.since for record in tuple(self.lent.values())), default=0.0)
        parts = [f"{len(self.lent)} of {self.max_size} in use"]
        if self.lent:
            parts.append(f"the longest for {longest:.1f} s")
        parts += [f"{len(self.queue)} waiting", f"{len(self.creating)} being made"]
        if self.last_error is not None:
            parts.append(f"the factory has failed {self.failures} times, last with {self.last_error!r}")
        return ", ".join(parts)

    def _hand_over(self, record: Record, waiter: Waiter) -> None:
        woken = None
        try:
            self.queue.remove(waiter)
            self.lend(record, waiter.rank, time.monotonic())
            record.waiter, waiter.record = waiter, record
            woken = waiter.wakeup.wake()
        finally:
            if not woken:
                record.waiter = waiter.record = None
                if self.lent.pop(id(record.obj), None) is not None:
                    self.idle.append(record)
                if woken is None:  # an interrupt; False: its loop has ended (H27)
                    self.queue.put_back(waiter)

    def _serve_other_loops(self, first: Waiter) -> None:
        """Serve those whose loops have something, once the loop of who is next has a resource, or gets one.

        Otherwise a busy loop would keep all of them among its own (H28).
        """
        loops = {place.loop for place in self.creating} | {record.loop for record in self.records.values()}
        if first.loop not in loops and self.size() >= self.max_size:
            self.discard([self.idle.popleft()], "other_loop")
        for waiter in self.queue:
            record = self.next_for(waiter.loop)
            spare = self.max_size - len(self.lent)
            if record is not None and self.queue.admits(waiter.rank, self.in_use_by_class(), spare):
                self._hand_over(record, waiter)
        if self.idle and self.size() >= self.max_size and not any(place.loop is first.loop for place in self.creating):
            self.discard([self.idle.popleft()], "other_loop")

    # --- without it ---------------------------------------------------------------------------------------------------

    def settle(self, ended: Any = _NO_LOOP) -> None:
        """Hand over what is free, and begin to make what is missing, though not on a loop that has `ended`."""
        with self.lock:
            self.serve()
            places = [Place(loop) for loop in self._missing() if loop is not ended]
            self.creating.update(places)
            if not self.open and not self.out():
                for wakeup in self.emptied:
                    wakeup.wake()
        while places:
            creation.begin(self, places.pop())

    def discard(self, records: Iterable[Record], cause: str) -> None:
        """Let go of `records`, which rest and are lent nowhere any more; they are destroyed in the background."""
        records = list(records)
        self.forget(records, cause)
        creation.undo(self, records)

    def free(self, place: Place) -> None:
        """Give up `place`, which has been filled, or is not going to be."""
        with self.lock:
            self.creating.discard(place)

    def has_ended(self, record: Record) -> None:
        """Note that `record` has been destroyed."""
        with self.lock:
            self.ending.discard(record)
        self.settle()

    def forget(self, records: Iterable[Record], cause: str) -> None:
        """Give up the places of `records`."""
        with self.lock:
            for record in records:
                key = id(record.obj)
                if key in self.records:
                    self.destroyed[cause] += 1
                    self.events.tell("destroy", record.obj)
                    del self.records[key]
                    if self.settings.destroy is not None:
                        record.since = time.monotonic()
                        self.ending.add(record)

    def _missing(self) -> list[Any]:
        """The loops for which a resource is to be made now."""
        if not self.open or len(self.records) >= self.max_size:
            return []
        begun = time.monotonic() - self.settings.destroyed_within
        room = self.max_size - self.size() - sum(record.since > begun for record in tuple(self.ending))
        if self.failures:  # one at a time, until one succeeds
            room = min(room, 1 - len(self.creating))
        if room <= 0:
            return []
        coming = Counter(place.loop for place in self.creating)
        missing = list((Counter(self._asked_by(waiter) for waiter in self.queue) - coming).elements())
        hopeless = isinstance(self.last_error, ConfigurationError)
        if not hopeless and (self.home is not None or not self.settings.is_async):
            missing += [self.home] * (self.min_size - self.size() - len(missing))
        return missing[:room]

    def _asked_by(self, waiter: Waiter) -> Any:
        return waiter.loop if self.settings.is_async else None
