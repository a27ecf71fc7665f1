"""A buffer that notices when one changes what another reads (debug mode, H44)."""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from poolware._core.memory import flat
from poolware._core.misuse import reported
from poolware.errors import BufferInUse, BufferReleased
from poolware.pools.buffer import Buffer
from poolware.pools.traces import stack

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class WatchedBuffer(Buffer):
    """A `Buffer` whose errors say who acquired and who released it, and which refuses two users at once."""

    __slots__ = ("_acquired", "_released", "_views", "_writer")

    def note_acquired(self) -> None:
        """Begin to watch, at the moment at which the buffer is lent."""
        self._acquired = stack()
        self._released = ""
        self._writer: tuple[int, str] | None = None
        self._views: list[tuple[weakref.ref[Any], int, int, str]] = []

    def note_released(self) -> None:
        """Keep who released it."""
        self._released = stack()

    def write(self, data: ReadableBuffer, /) -> int:
        """As `Buffer.write`; raises `BufferInUse` where a living read-only view shows what would be overwritten."""
        with self._alone():
            self._unread(self.tell(), self.tell() + len(flat(data)))
            return super().write(data)

    def writelines(self, lines: Iterable[ReadableBuffer], /) -> None:
        """As `Buffer.writelines`; raises `BufferInUse` where another thread is writing."""
        with self._alone():
            super().writelines(lines)

    def truncate(self, size: int | None = None, /) -> int:
        """As `Buffer.truncate`; raises `BufferInUse` where a living read-only view shows what would be wiped."""
        with self._alone():
            self._unread(self.tell() if size is None else size, len(self))
            return super().truncate(size)

    def view(self, start: int = 0, stop: int | None = None, *, readonly: bool = False) -> memoryview:
        """As `Buffer.view`."""
        view = super().view(start, stop, readonly=readonly)
        if not readonly:
            return view
        memory: Any = self._memory
        guard: Any = (ctypes.c_ubyte * len(memory)).from_buffer(memory)
        guard.keeps = view  # the buffer's own guard lives as long as this one
        stop = start + len(view)
        self._views.append((weakref.ref(guard), start, stop, stack()))
        return memoryview(guard).cast("B")[start:stop].toreadonly()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Refuse a thread that comes while another is in the middle of a change."""
        me, before = threading.get_ident(), self._writer
        if before is not None and before[0] != me:
            msg = f"two threads change a buffer at once; the other is in the middle of it at:\n{before[1]}"
            raise reported(BufferInUse(msg))
        self._writer = (me, stack()) if before is None else before
        try:
            yield
        finally:
            self._writer = before

    def _unread(self, start: int, stop: int) -> None:
        self.tell()
        self._views = [view for view in self._views if view[0]() is not None]
        for _, first, last, taken in self._views:
            if first < stop and start < last:
                msg = f"bytes {start} to {stop} are being changed while a read-only view shows them; taken at:\n{taken}"
                raise reported(BufferInUse(msg))

    def _after_release(self) -> BufferReleased:
        error = super()._after_release()
        return BufferReleased(f"{error}\nAcquired at:\n{self._acquired}Released at:\n{self._released}")
