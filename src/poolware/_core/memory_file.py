"""A binary file in pooled memory: the plain twin of ``compiled.MemoryFile``."""

from __future__ import annotations

import io
import sys
from operator import index
from typing import TYPE_CHECKING, Any, NoReturn

from poolware._core.memory import flat, wipe
from poolware._core.proof import PART_SOLE, getrefcount, held_elsewhere

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

    from poolware._core.memory_store import MemoryStore


class MemoryFile:
    """What a `Buffer` is, apart from what is the same on both twins."""

    __slots__ = ("_guard", "_high", "_memory", "_position", "_size", "_store")

    def __init__(self, store: MemoryStore, storage: bytearray) -> None:
        self._store = store
        self._memory: memoryview | None = memoryview(storage)
        self._guard: Any = None
        self._size = 0
        self._position = 0
        self._high = 0

    if TYPE_CHECKING:  # what a buffer says, whichever twin it is made of

        def _refuse_use(self) -> NoReturn: ...

        def _refuse_growth(self, size: int) -> NoReturn: ...

    def write(self, data: ReadableBuffer, /) -> int:
        """Write bytes at the position and move it past them; return how many.

        Raises:
            BufferInUse: the buffer would have to grow while somebody holds a view of it.
            BufferSizeError: it would grow over the pool's ``max_size``.
        """
        memory = self._live()
        source = data if type(data) is bytes else flat(data)
        if not len(source):
            return 0
        start = self._position
        stop = start + len(source)
        if stop > len(memory):
            del memory  # whoever else holds the old memory now is in the middle of a write
            memory = self._grow(stop)
        if start > self._size:
            wipe(memory, self._size, start)
        self._high = max(self._high, stop)  # before the write, which an interrupt may leave half done (H18)
        memory[start:stop] = source
        self._position = stop
        self._size = max(self._size, stop)
        return len(source)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes from the position on; all that is left if negative or None."""
        memory = self._live()
        start, stop = self._span(size)
        self._position = max(self._position, stop)
        return memory[start:stop].tobytes()

    def readinto(self, target: WriteableBuffer, /) -> int:
        """Fill `target`, writable memory, from the position on; return how many bytes."""
        memory = self._live()
        into = memoryview(target)
        if into.readonly:
            msg = "readinto() takes writable C-contiguous memory"
            raise TypeError(msg)
        with flat(into) as into:
            start, stop = self._span(len(into))
            if stop > start:
                into[: stop - start] = memory[start:stop]
        self._position = max(self._position, stop)
        return stop - start

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the rest of the line, with its newline, `size` bytes at the most."""
        memory = self._live()
        start, stop = self._span(size)
        storage: Any = memory.obj
        stop = storage.find(b"\n", start, stop) + 1 or stop  # in place: a copy to search in would stay in memory
        self._position = max(self._position, stop)
        return memory[start:stop].tobytes()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move the position; return it."""
        self._live()
        offset, whence = _fitting(offset), index(whence)
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}.get(whence)
        if base is None:
            msg = f"invalid whence ({whence!r}, should be 0, 1 or 2)"
            raise ValueError(msg)
        if whence == io.SEEK_SET and offset < 0:
            msg = f"negative seek position {offset}"
            raise ValueError(msg)
        self._position = max(_fitting(base + offset), 0)  # as io.BytesIO does, on which zipfile relies
        return self._position

    def tell(self) -> int:
        """Return the position."""
        self._live()
        return self._position

    def truncate(self, size: int | None = None, /) -> int:
        """Cut the content to `size` bytes, the position by default; what is cut off is wiped. Return `size`."""
        memory = self._live()
        size = self._position if size is None else _fitting(size)
        if size < 0:
            msg = f"negative size value {size}"
            raise ValueError(msg)
        if size < self._size:
            wipe(memory, size, self._size)
            self._size = size
        return size

    def getvalue(self) -> bytes:
        """Return a copy of the content."""
        return self._live()[: self._size].tobytes()

    def view(self, start: int = 0, stop: int | None = None, *, readonly: bool = False) -> memoryview:
        """Return a view of the memory from `start` to `stop`, its capacity by default, without copying.

        Unless the view is read-only, the buffer's content reaches at least to `stop` from then on (``truncate(n)`` cuts
        it to what was really filled). While the view lives the buffer cannot grow, and after the buffer's release the
        memory is not used again before the view is gone.

        Raises:
            ValueError: not ``0 <= start <= stop <= capacity``.
        """
        start = index(start)
        stop = self.capacity if stop is None else index(stop)
        capacity = self.capacity
        if not 0 <= start <= stop <= capacity:
            msg = f"view({start}, {stop}): it takes 0 <= start <= stop <= {capacity}, the buffer's capacity"
            raise ValueError(msg)
        with self._store._lock:  # as in _grow
            memory = self._live()
            if self._guard is None:
                self._guard = self._store._guard(memory)
            view = memoryview(self._guard).cast("B")[start:stop]
            if readonly:
                return view.toreadonly()
            self._size = max(self._size, stop)
            self._high = max(self._high, stop)
        return view

    @property
    def capacity(self) -> int:
        """Bytes that fit without growing."""
        return len(self._live())

    @property
    def closed(self) -> bool:
        """Whether the buffer was released."""
        return self._memory is None

    def __len__(self) -> int:
        """Return the bytes of content."""
        self._live()
        return self._size

    def __del__(self) -> None:
        if getattr(self, "_memory", None) is not None:
            self._store._abandon(self)

    def _live(self) -> memoryview:
        if self._memory is None:
            self._refuse_use()
        return self._memory

    def _span(self, size: int | None) -> tuple[int, int]:
        start = min(self._position, self._size)
        size = -1 if size is None else index(size)
        return start, self._size if size < 0 else min(start + size, self._size)

    def _grow(self, size: int) -> memoryview:
        with self._store._lock:  # a release in another thread comes before this or after it, never in the middle
            old = self._live()
            if self._exported():
                self._refuse_growth(size)
            memory = memoryview(self._store._larger(self, size))
            try:
                memory[: self._size] = old[: self._size]
                self._memory = memory
            finally:  # an interrupt leaves one of the two behind, wiped (H18)
                if self._memory is memory:
                    box = [old]
                    del old
                    busy = held_elsewhere(box)
                    old = box.pop()
                    self._store._put_back(old, *_used(old, self._high, busy=busy))
                    self._high = self._size
                else:
                    self._store._put_back(memory, self._high)
        return memory

    def _exported(self) -> bool:
        """Whether a view is alive; forgets the guard if none is."""
        if self._guard is not None and getrefcount(self._guard) == PART_SOLE:
            self._guard = None
        return self._guard is not None

    def _retire(self) -> tuple[Any, ...]:
        """Become unusable; return the memory, how much of it was used, and what holds it for others."""
        box = [self._live()]
        holders = (self._guard,) if self._exported() else ()
        self._memory = self._guard = None
        busy = held_elsewhere(box)
        memory = box.pop()
        return memory, *_used(memory, self._high, busy=busy), *holders


def _fitting(size: int) -> int:
    """Return `size` as a whole number. Raises OverflowError, as every file does, if no memory is that large."""
    size = index(size)
    if not -sys.maxsize - 1 <= size <= sys.maxsize:
        msg = "cannot fit 'int' into an index-sized integer"
        raise OverflowError(msg)
    return size


def _used(memory: memoryview, high: int, *, busy: bool) -> tuple[Any, ...]:
    """Return how much of `memory` was used; all, and who holds it, if another thread is in the middle of a write."""
    return (len(memory), memory) if busy else (high,)
