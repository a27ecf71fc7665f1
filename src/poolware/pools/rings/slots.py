"""A ring's memory: slots that are lent as views, and are free again when the last view is gone."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from poolware._core.collecting import collecting
from poolware._core.memory import wipe


class Slot:
    """A piece of memory, lent to one side of a ring at a time.

    Its views are made through a guard, which dies with the last of them (H07).

    Args:
        memory: writable bytes.
        array_type: ``ctypes.c_ubyte * len(memory)``; making one takes longer than all the rest.
    """

    __slots__ = ("_array_type", "_guard", "_memory", "_view", "_watch", "filled")

    def __init__(self, memory: memoryview, array_type: Any) -> None:
        self._memory = memory
        self._array_type = array_type
        self._guard: Any = None
        self._view: memoryview | None = None
        self._watch: Any = None
        self.filled: int = 0
        """How many bytes of it hold something for the reader."""

    def lend_to_writer(self) -> memoryview:
        """Return a view of all of it."""
        self._guard = self._array_type.from_buffer(self._memory)
        self._view = memoryview(self._guard).cast("B")
        return self._view

    def lend_to_reader(self) -> memoryview:
        """Return a read-only view of what is filled."""
        self._guard = self._array_type.from_buffer(self._memory)
        self._view = memoryview(self._guard).cast("B")[: self.filled].toreadonly()
        return self._view

    def take_from_writer(self, filled: int) -> None:
        """End the lending. What he kept of his view shows other memory from now on (H06)."""
        guard = self._guard and weakref.ref(self._guard)
        self._revoke()
        if guard and guard() is not None:
            self._memory = memoryview(bytearray(self._memory))
        self.filled = filled

    def take_from_reader(self, free: Callable[[Slot], object]) -> None:
        """End the lending; wipe the slot and call ``free(slot)`` when the last view is gone: now, or later."""

        def unseen(_guard: object) -> None:
            self._watch = None
            self.wipe()
            if collecting():  # it tells of a view's end first, and runs the finalizers that may look after that
                self._memory = memoryview(bytearray(self._memory))
            free(self)

        guard = self._guard
        if guard is not None:  # otherwise it was forgotten meanwhile
            self._watch = weakref.ref(guard, unseen)
            del guard
            self._revoke()

    def wipe(self) -> None:
        """Fill it with zeros, also what a writer did not hand on."""
        wipe(self._memory, 0, len(self._memory))
        self.filled = 0

    def forget(self) -> None:
        """Let whoever has a view keep it, and call nobody."""
        self._watch = self._view = self._guard = None

    def _revoke(self) -> None:
        view, self._view = self._view, None
        if view is not None:
            with suppress(BufferError):  # it is in a transport's queue, which keeps the guard
                view.release()
        del view
        self._guard = None
