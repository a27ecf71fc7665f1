"""Released objects that somebody still holds.

They are looked at again a few at a time, by whoever next finds the pool empty, so that nothing depends on a background
thread. An object comes back when the quarantine holds its only reference. Over the cap the oldest is let go: its holder
keeps it, the pool forgets it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from poolware._core.proof import SOLE, getrefcount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class Quarantine(Generic[T]):
    """At most `limit` objects.

    `free` is given each that nobody holds any more; `escaped` is called for each that is let go because of the limit.
    """

    __slots__ = ("_escaped", "_free", "_limit", "_waiting")

    def __init__(self, limit: int, free: Callable[[T], object], escaped: Callable[[], object]) -> None:
        self._waiting: deque[T] = deque()
        self._limit = limit
        self._free = free
        self._escaped = escaped

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[T]:
        return iter(tuple(self._waiting))

    def __contains__(self, obj: object) -> bool:
        return any(waiting is obj for waiting in self)

    def add(self, obj: T) -> None:
        """Keep `obj` until it is held by nobody else."""
        self._waiting.append(obj)
        while len(self._waiting) > self._limit:
            try:
                oldest = self._waiting.popleft()
            except IndexError:  # another thread was faster
                return
            if getrefcount(oldest) == SOLE:
                self._free(oldest)
            else:
                self._escaped()

    def sweep(self, looks: int) -> int:
        """Look at the `looks` oldest objects and hand those nobody holds to `free`; return how many."""
        found = 0
        for _ in range(min(looks, len(self._waiting))):
            try:
                obj = self._waiting.popleft()
            except IndexError:
                break
            if getrefcount(obj) == SOLE:
                self._free(obj)
                found += 1
            else:
                self._waiting.append(obj)
        return found

    def clear(self) -> None:
        """Forget all of them; their holders keep them."""
        self._waiting.clear()
