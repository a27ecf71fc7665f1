"""A store whose objects live for two full collections of idleness, as in Go's sync.Pool."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterator
from typing import Any
from weakref import WeakValueDictionary

__all__ = ["GcVictimsStore"]


class GcVictimsStore:
    """Two generations. A full collection drops the victims and makes victims of all others.

    What is used between two collections rests as new again; what is not is gone after the second.
    """

    def __init__(self) -> None:
        self._fresh: list[Any] = []
        self._victims: list[Any] = []
        _stores[id(self)] = self
        if next(_made) == 0:  # for good: to take one out while they are called would skip the next
            getattr(gc, "callbacks", []).append(_age_all)  # PyPy has none, and no reuse

    def append(self, obj: Any) -> None:
        """Make `obj` rest."""
        self._fresh.append(obj)

    def pop(self) -> Any:
        """Return the last one, or a victim if there is no other. Raises IndexError without any."""
        try:
            return self._fresh.pop()
        except IndexError:
            return self._victims.pop()

    def age(self) -> None:
        """Drop the victims and make victims of the others."""
        self._victims, self._fresh = self._fresh, []

    def clear(self) -> None:
        """Forget all."""
        self._fresh.clear()
        self._victims.clear()

    def __len__(self) -> int:
        return len(self._fresh) + len(self._victims)

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain(tuple(self._fresh), tuple(self._victims))


_stores: WeakValueDictionary[int, GcVictimsStore] = WeakValueDictionary()
_made = itertools.count()


def _age_all(phase: str, info: dict[str, int]) -> None:
    """Before a full collection, so that it finds what victims were part of."""
    if phase == "start" and info["generation"] == 2:  # noqa: PLR2004 - the oldest of the three
        for ref in _stores.valuerefs():
            store = ref()
            if store is not None:
                store.age()
