"""Buffer: pooled memory with the interface of a binary file."""

from __future__ import annotations

import io
from collections.abc import Iterable
from operator import index
from typing import TYPE_CHECKING, Any, NoReturn, Self

from poolware._core.memory import flat, wipe
from poolware._core.misuse import reported
from poolware._core.proof import PART_SOLE, SOLE, getrefcount
from poolware.errors import BufferInUse, BufferReleased, NotCopyable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

    from poolware.pools.buffers import BufferPool

__all__ = ["Buffer"]


class Buffer:
    """A binary file in pooled memory, with the methods of ``io.BytesIO``; ``view()`` gives the memory itself.

    It grows by moving to the pool's next tier; what it leaves behind is wiped. Between request and response one
    coroutine or thread at a time uses it (H44). After its release every use raises `BufferReleased`.

    Made by ``ctx.buffer(size)``, ``pool.acquire(size)`` and ``pool.lease(size)``.
    """

    __slots__ = ("_guard", "_high", "_memory", "_pool", "_position", "_size")

    def __init__(self, pool: BufferPool, storage: bytearray) -> None:
        self._pool = pool
        self._memory: memoryview | None = memoryview(storage)
        self._guard: Any = None
        self._size = 0
        self._position = 0
        self._high = 0

    # --- content ------------------------------------------------------------------------------------------------------

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

    def writelines(self, lines: Iterable[ReadableBuffer], /) -> None:
        """Write each of `lines`."""
        for line in lines:
            self.write(line)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes from the position on; all that is left if negative or None."""
        memory = self._live()
        start, stop = self._span(size)
        self._position = max(self._position, stop)
        return memory[start:stop].tobytes()

    read1 = read

    def readinto(self, target: WriteableBuffer, /) -> int:
        """Fill `target`, writable memory, from the position on; return how many bytes."""
        memory = self._live()
        with memoryview(target).cast("B") as into:
            start, stop = self._span(len(into))
            into[: stop - start] = memory[start:stop]
        self._position = max(self._position, stop)
        return stop - start

    readinto1 = readinto

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the rest of the line, with its newline, `size` bytes at the most."""
        memory = self._live()
        start, stop = self._span(size)
        storage: Any = memory.obj
        stop = storage.find(b"\n", start, stop) + 1 or stop  # in place: a copy to search in would stay in memory
        self._position = max(self._position, stop)
        return memory[start:stop].tobytes()

    def readlines(self, hint: int | None = -1, /) -> list[bytes]:
        """Return the lines that are left; no more of them once they have `hint` bytes, if that is positive."""
        lines: list[bytes] = []
        left = index(hint or 0)
        for line in self:
            lines.append(line)
            left -= len(line)
            if (hint or 0) > 0 and left <= 0:
                break
        return lines

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move the position; return it."""
        self._live()
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}.get(whence)
        if base is None:
            msg = f"invalid whence ({whence!r}, should be 0, 1 or 2)"
            raise ValueError(msg)
        offset = index(offset)
        if whence == io.SEEK_SET and offset < 0:
            msg = f"negative seek position {offset}"
            raise ValueError(msg)
        self._position = max(base + offset, 0)  # as io.BytesIO does, on which zipfile relies
        return self._position

    def tell(self) -> int:
        """Return the position."""
        self._live()
        return self._position

    def truncate(self, size: int | None = None, /) -> int:
        """Cut the content to `size` bytes, the position by default; what is cut off is wiped. Return `size`."""
        memory = self._live()
        size = self._position if size is None else index(size)
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

    def getbuffer(self) -> memoryview:
        """Return a read-only view of the content, without copying. While it lives the buffer cannot grow."""
        return self.view(0, self._size, readonly=True)

    def view(self, start: int = 0, stop: int | None = None, *, readonly: bool = False) -> memoryview:
        """Return a view of the memory from `start` to `stop`, its capacity by default, without copying.

        Unless the view is read-only, the buffer's content reaches at least to `stop` from then on (``truncate(n)`` cuts
        it to what was really filled). While the view lives the buffer cannot grow, and after the buffer's release the
        memory is not used again before the view is gone.

        Raises:
            ValueError: not ``0 <= start <= stop <= capacity``.
        """
        capacity = self.capacity
        stop = capacity if stop is None else stop
        if not 0 <= start <= stop <= capacity:
            msg = f"view({start}, {stop}): it takes 0 <= start <= stop <= {capacity}, the buffer's capacity"
            raise ValueError(msg)
        with self._pool._lock:  # as in _grow
            memory = self._live()
            if self._guard is None:
                self._guard = self._pool._guard(memory)
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

    def __len__(self) -> int:
        """Return the bytes of content."""
        self._live()
        return self._size

    def __bool__(self) -> bool:
        return True

    # --- being a file -------------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether the buffer was released."""
        return self._memory is None

    def close(self) -> None:
        """Do nothing: wrappers such as TextIOWrapper close what they wrap. The end of the request gives back."""

    def flush(self) -> None:
        """Do nothing; there is nothing between the buffer and its memory."""
        self._live()

    def readable(self) -> bool:
        """Return True."""
        self._live()
        return True

    def writable(self) -> bool:
        """Return True."""
        return self.readable()

    def seekable(self) -> bool:
        """Return True."""
        return self.readable()

    @property
    def name(self) -> str:
        """What a file would be called."""
        return repr(self)

    def detach(self) -> NoReturn:
        """Raise ``io.UnsupportedOperation``: there is no raw stream below."""
        what = "detach"
        raise io.UnsupportedOperation(what)

    def fileno(self) -> int:
        """Raise ``io.UnsupportedOperation``: the buffer is no file of the system."""
        what = "fileno"
        raise io.UnsupportedOperation(what)

    def isatty(self) -> bool:
        """Return False."""
        return False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    # --- going back ---------------------------------------------------------------------------------------------------

    def release(self) -> None:
        """Give the buffer back before the response ends. Raises `AlreadyReleased` the second time."""
        self._pool.release(self)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        msg = "a Buffer is neither copied nor pickled: two would share its memory. getvalue() is a copy of the content"
        raise NotCopyable(msg)

    def __repr__(self) -> str:
        state = "released" if self._memory is None else f"{self._size} of {len(self._memory)} bytes"
        return f"<Buffer {state}>"

    def __del__(self) -> None:
        if getattr(self, "_memory", None) is not None:
            self._pool._abandon(self)

    def _live(self) -> memoryview:
        if self._memory is None:
            raise reported(self._after_release())
        return self._memory

    def _after_release(self) -> BufferReleased:
        msg = "this buffer was given back; use it before the response ends, and getvalue() for a copy that stays"
        return BufferReleased(msg)

    def _span(self, size: int | None) -> tuple[int, int]:
        start = min(self._position, self._size)
        size = -1 if size is None else index(size)
        return start, self._size if size < 0 else min(start + size, self._size)

    def _grow(self, size: int) -> memoryview:
        with self._pool._lock:  # a release in another thread comes before this or after it, never in the middle
            old = self._live()
            if self._exported():
                msg = f"a buffer of {len(old)} bytes cannot grow to {size} while views of it exist; release them first"
                raise BufferInUse(msg)
            memory = memoryview(self._pool._larger(self, size))
            try:
                memory[: self._size] = old[: self._size]
                self._memory = memory
            finally:  # an interrupt leaves one of the two behind, wiped (H18)
                if self._memory is memory:
                    busy = getrefcount(old) != SOLE
                    self._pool._put_back(old, *_used(old, self._high, busy=busy))
                    self._high = self._size
                else:
                    self._pool._put_back(memory, self._high)
        return memory

    def _exported(self) -> bool:
        """Whether a view is alive; forgets the guard if none is."""
        if self._guard is not None and getrefcount(self._guard) == PART_SOLE:
            self._guard = None
        return self._guard is not None

    def _retire(self) -> tuple[Any, ...]:
        """Become unusable; return the memory, how much of it was used, and what holds it for others."""
        memory = self._live()
        holders = (self._guard,) if self._exported() else ()
        self._memory = self._guard = None
        busy = getrefcount(memory) != SOLE
        return memory, *_used(memory, self._high, busy=busy), *holders


def _used(memory: memoryview, high: int, *, busy: bool) -> tuple[Any, ...]:
    """Return how much of `memory` was used; all, and who holds it, if another thread is in the middle of a write."""
    return (len(memory), memory) if busy else (high,)


io.BufferedIOBase.register(Buffer)
