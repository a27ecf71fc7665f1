"""Who is next: the queue of those who wait for a resource."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from poolware._core.wakeups import Wakeup
from poolware.errors import BadOption

Priority = Literal["critical", "high", "normal", "low"]
PRIORITIES: tuple[Priority, ...] = ("critical", "high", "normal", "low")


def rank_of(priority: Any) -> int:
    """Return the place of a class in `PRIORITIES`. Raises `BadOption` for what is none."""
    try:
        return PRIORITIES.index(priority)
    except ValueError:
        msg = f"priority={priority!r}: it takes {', '.join(map(repr, PRIORITIES))}"
        raise BadOption(msg) from None


class Waiter:
    """One who waits; a giver hands over by filling in `record` or `error` and then calling `wake`."""

    __slots__ = ("arrived", "error", "rank", "record", "wakeup")

    def __init__(self, wakeup: Wakeup, rank: int) -> None:
        self.wakeup: Wakeup = wakeup
        self.rank: int = rank
        self.arrived: float = time.monotonic()
        self.record: Any = None
        self.error: Exception | None = None

    @property
    def loop(self) -> Any:
        """The event loop that it waits on; None for a thread."""
        return self.wakeup.loop


class Queue:
    """Waiters in the order in which they are to be served.

    Those of one class first come, first served. A class counts for as much as having come `ageing` seconds earlier than
    the next lower one: nobody is passed by anyone who came more than ``3 × ageing`` seconds later.

    A share that is reserved for a class is not lent to lower ones, even if nobody of that class asks for it.
    """

    def __init__(self, ageing: float, reserved: Sequence[int]) -> None:
        self._ageing = ageing
        self._reserved = reserved
        self._classes: list[OrderedDict[Waiter, None]] = [OrderedDict() for _ in PRIORITIES]

    def __len__(self) -> int:
        return sum(map(len, self._classes))

    def __bool__(self) -> bool:
        return any(self._classes)

    def __iter__(self) -> Iterator[Waiter]:
        """All of them, those first who are next."""
        everybody = (waiter for waiting in self._classes for waiter in waiting)
        return iter(sorted(everybody, key=self._turn))

    def add(self, waiter: Waiter) -> None:
        """Make `waiter` the last of its class."""
        self._classes[waiter.rank][waiter] = None

    def put_back(self, waiter: Waiter) -> None:
        """Make `waiter`, who was served and got nothing, the first of its class."""
        self.add(waiter)
        self._classes[waiter.rank].move_to_end(waiter, last=False)

    def remove(self, waiter: Waiter) -> None:
        """Do without `waiter`, who need not be here."""
        self._classes[waiter.rank].pop(waiter, None)

    def first(self, in_use: list[int], spare: int) -> Waiter | None:
        """Return who is next while the classes use `in_use` and `spare` more can be lent; None if nobody may.

        Args:
            in_use: resources in use by each class.
            spare: resources that are free, or could be made.
        """
        found = None
        for rank, waiting in enumerate(self._classes):
            if waiting and self.admits(rank, in_use, spare):
                head = next(iter(waiting))
                if found is None or self._turn(head) < self._turn(found):
                    found = head
        return found

    def admits(self, rank: int, in_use: list[int], spare: int) -> bool:
        """Whether one of class `rank` may have one of `spare` resources without taking a reserved one."""
        for higher in range(rank):
            spare -= max(0, self._reserved[higher] - in_use[higher])
        return spare > 0

    def _turn(self, waiter: Waiter) -> float:
        return waiter.arrived + waiter.rank * self._ageing
