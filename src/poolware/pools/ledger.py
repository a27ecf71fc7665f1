"""Who has had what of a memory pool, and for how long: leak detection, which costs nothing where it is off."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from poolware._core.histogram import Histogram, Times
from poolware._core.log import logger
from poolware._core.options import one_of, positive_or_none
from poolware.errors import BadOption
from poolware.pools.events import Source
from poolware.pools.traces import stack

__all__ = ["SAMPLE", "LeakDetection", "Ledger", "Note", "Noted"]

LeakDetection = Literal["off", "sampled", "full"]
SAMPLE = 128
"""With ``sampled``, one acquisition in so many is noted."""


class Note(NamedTuple):
    """An acquisition."""

    since: float
    """Seconds of `time.monotonic`."""
    stack: str
    """Where it was acquired; empty if only the time was noted."""
    size: int
    """The bytes of a buffer; otherwise 1."""


class Noted(NamedTuple):
    """Something in use, of whose acquisition something is known."""

    obj: Any
    since: float
    """Seconds of `time.monotonic`."""
    stack: str
    keepers: tuple[object, ...]
    """What of the pool refers to it."""


class Ledger:
    """Notes acquisitions, and what becomes of them.

    Args:
        name: the pool's.
        level: of which acquisitions to note time and stack.
        hold_limit: seconds, or None.
        events: where the pool tells what happens.

    Raises:
        BadOption: a value that is not taken, or a `hold_limit` where nothing is noted.
    """

    def __init__(self, name: str, level: str, hold_limit: float | None, events: Source) -> None:
        self._name = name
        self.level: str = one_of("leak_detection", level, "off", "sampled", "full")
        self.hold_limit: float | None = positive_or_none("hold_limit", hold_limit)
        if hold_limit is not None and level == "off":
            msg = f"hold_limit={hold_limit!r}: it takes leak_detection='sampled' or 'full', or no time is noted"
            raise BadOption(msg)
        self._events = events
        self._turns = itertools.count()
        self._begin()

    @property
    def wanted(self) -> bool:
        """Whether acquisitions and releases are to be told here."""
        return self.level != "off" or not self._events.heard.isdisjoint(("get", "put"))

    def taken(self, obj: Any, size: int = 1) -> None:
        """Note that `obj` was acquired."""
        noted = self.level == "full" or (self.level == "sampled" and next(self._turns) % SAMPLE == 0)
        if noted or "put" in self._events.heard:
            self._notes[id(obj)] = Note(time.monotonic(), stack() if noted else "", size)
        if self._events.heard:
            self._events.tell("get", obj, size=size, duration=0.0)

    def given(self, obj: Any) -> None:
        """Note that `obj` was released."""
        note, held, size = self._notes.pop(id(obj), None), None, 1
        if note is not None:
            held, size = time.monotonic() - note.since, note.size
            self._reported.discard(id(obj))
            if note.stack:
                with self._lock:
                    self._hold.add(held)
        if self._events.heard:
            self._events.tell("put", obj, size=size, duration=held)

    def forget(self) -> None:
        """Forget who has what: of its release nothing would be heard, and its id may be another object's by then."""
        self._notes.clear()

    def notes(self) -> dict[int, Note]:
        """Return what is known of what is in use, by the objects' ids."""
        return self._notes.copy()

    def report(self, tell: Callable[[int], str]) -> None:
        """Log, once each, what has been in use for longer than `hold_limit`. Nothing is taken away (H32)."""
        limit, now = self.hold_limit, time.monotonic()
        if limit is None:
            return
        for key, note in self.notes().items():
            if note.stack and now - note.since > limit and key not in self._reported:
                self._reported.add(key)
                self.held_too_long += 1
                msg = "pool %r: %s has been in use for %.1f s (hold_limit %g s); acquired at:\n%s"
                logger.warning(msg, self._name, tell(key), now - note.since, limit, note.stack)

    def lost(self, obj: Any, tell: Callable[[Any], str]) -> None:
        """Log that `obj` was never released, and that nobody holds it, if its acquisition was noted."""
        note = self._notes.get(id(obj))
        if note is not None and note.stack:
            msg = "pool %r: %s was never released, and nobody holds it; acquired at:\n%s"
            logger.error(msg, self._name, tell(obj), note.stack)

    def times(self) -> Times:
        """Return how long was in use what was noted and came back."""
        with self._lock:
            return (self._before + self._hold).times()

    def pop(self) -> Times:
        """Return the same of what has come back since the last call."""
        with self._lock:
            period = self._hold.pop()
            self._before += period
            return period.times()

    def restart(self) -> None:
        """Begin anew in a child process."""
        self._begin()
        self._events.restart()

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._notes: dict[int, Note] = {}
        self._reported: set[int] = set()
        self._hold, self._before = Histogram(), Histogram()
        self.held_too_long: int = 0
