"""What happens in pools, told to whoever subscribes. `poolware.observe.events` is the public place."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple, Self, get_args

from poolware._core.options import one_of, whole_number
from poolware.pools.forks import restart_in_child

__all__ = ["EVENTS", "Collector", "Event", "EventKind", "Source"]

EventKind = Literal[
    "get",
    "put",
    "create",
    "destroy",
    "grow",
    "shrink",
    "resize",
    "clear",
    "evict",
    "escape",
    "drop",
    "exhaust",
    "timeout",
]
"""What a collector can be told of; docs/statistics.md says when each happens."""
EVENTS: tuple[EventKind, ...] = get_args(EventKind)
"""Every kind of event."""


class Event(NamedTuple):
    """Something that happened in a pool."""

    pool: str
    """The pool's name."""
    kind: EventKind
    size: int
    """The bytes of a buffer; of ``resize`` the new bound; otherwise how many objects it is about."""
    duration: float | None
    """Seconds waited (``get``, ``timeout``), held (``put``) or taken to build (``create``); None where not measured."""
    time: float
    """When, in seconds since the epoch."""
    type: str
    """The type of the object; empty where it is about none, or about several."""


class Collector:
    """Keeps the events of the pools that it is subscribed to, until they are taken out.

    It never makes a pool wait: what comes while `limit` events are here is dropped, and counted.

    Args:
        kinds: which events.
        limit: how many to keep at the most.

    Raises:
        BadOption: there are no such events, or `limit` is not a whole number of at least 1.
    """

    def __init__(self, kinds: Iterable[EventKind] = EVENTS, *, limit: int = 10_000) -> None:
        self.kinds: frozenset[EventKind] = frozenset(one_of("kinds", kind, *EVENTS) for kind in kinds)
        self.limit: int = whole_number("limit", limit, at_least=1)
        self.dropped: int = 0
        """Events that found no room, since the last `reset`."""
        self._events: deque[Event] = deque()
        self._sources: list[Source] = []
        self._lock = threading.RLock()  # an event may come from a finalizer that runs inside (H35)
        restart_in_child(self)

    def take(self) -> list[Event]:
        """Return what has been kept, the oldest first, and keep it no more."""
        with self._lock:
            events = list(self._events)
            for _ in events:
                self._events.popleft()
            return events

    def reset(self) -> None:
        """Forget what has been kept and counted, and go on."""
        with self._lock:
            self._events.clear()
            self.dropped = 0

    def close(self) -> None:
        """Hear no more. What has been kept stays; a second call does nothing."""
        while self._sources:
            self._sources.pop().unsubscribe(self)

    def __len__(self) -> int:
        return len(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, event: Event) -> None:
        with self._lock:
            if len(self._events) < self.limit:
                self._events.append(event)
            else:
                self.dropped += 1

    def _after_fork(self) -> None:
        self._lock = threading.RLock()


class Source:
    """Where a pool tells what happens. It has nobody to tell unless somebody subscribes.

    Args:
        pool: its name.
        changed: called when somebody has come or gone.
    """

    def __init__(self, pool: str, changed: Callable[[], object]) -> None:
        self._pool = pool
        self._changed = changed
        self._collectors: tuple[Collector, ...] = ()
        self._lock = threading.RLock()
        self.heard: frozenset[str] = frozenset()
        """Which events somebody wants."""

    def subscribe(self, collector: Collector) -> None:
        """Have `collector` told. Does nothing if it is already."""
        with self._lock:
            if collector not in self._collectors:
                collector._sources.append(self)
                self._have((*self._collectors, collector))

    def unsubscribe(self, collector: Collector) -> None:
        """Have `collector` told no more."""
        with self._lock:
            self._have(tuple(other for other in self._collectors if other is not collector))

    def tell(self, kind: EventKind, of: object = None, *, size: int = 1, duration: float | None = None) -> None:
        """Tell whoever wants to hear of this `kind`; never waits for them."""
        if kind not in self.heard:
            return
        name = "" if of is None else type(of).__name__
        event = Event(self._pool, kind, size, duration, time.time(), name)
        for collector in self._collectors:
            if kind in collector.kinds:
                collector._put(event)

    def restart(self) -> None:
        """Begin anew in a child process: who subscribed goes on hearing."""
        self._lock = threading.RLock()

    def _have(self, collectors: tuple[Collector, ...]) -> None:
        self._collectors = collectors
        self.heard = frozenset(kind for collector in collectors for kind in collector.kinds)
        self._changed()


def source_of(pool: Any) -> Source | None:
    """Return where `pool` tells what happens; None if it does not."""
    source = getattr(pool, "_events", None)
    return source if isinstance(source, Source) else None
