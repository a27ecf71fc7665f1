"""A counter that threads may advance without a lock."""

from __future__ import annotations

import itertools
import sys
import threading
from typing import TYPE_CHECKING, Protocol

from poolware._core.core import compiled

if TYPE_CHECKING:
    from collections.abc import Callable


class Tally(Protocol):
    """Counts up from zero."""

    tick: Callable[[], object]

    @property
    def value(self) -> int:
        """How often ``tick`` was called."""
        ...


class AtomicTally:
    """One C call a tick; the interpreter lock makes that call atomic."""

    __slots__ = ("_ticks", "tick")

    def __init__(self) -> None:
        self._ticks = itertools.count()
        self.tick: Callable[[], object] = self._ticks.__next__

    @property
    def value(self) -> int:
        """How often ``tick`` was called."""
        # repr() is the one way to read a count without advancing it that neither is deprecated nor needs a lock.
        return int(repr(self._ticks)[len("count(") : -1])


class LockedTally:
    """The same for interpreters without the lock, where itertools.count loses ticks before 3.14."""

    __slots__ = ("_lock", "value")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.value = 0

    def tick(self) -> None:
        """Count one."""
        with self._lock:
            self.value += 1


def new_tally() -> Tally:
    """Return a counter that is exact on this interpreter."""
    if compiled is not None:
        return compiled.Tally()  # type: ignore[no-any-return]
    with_lock = getattr(sys, "_is_gil_enabled", lambda: True)()
    return AtomicTally() if with_lock else LockedTally()  # type: ignore[return-value]
