"""Buffer: pooled memory with the interface of a binary file."""

from __future__ import annotations

import io
from collections.abc import Iterable
from operator import index
from typing import TYPE_CHECKING, NoReturn, Self

from poolware._core.core import compiled
from poolware._core.misuse import reported
from poolware.errors import BufferInUse, BufferReleased, NotCopyable

if TYPE_CHECKING or compiled is None:
    from poolware._core.memory_file import MemoryFile
else:
    MemoryFile = compiled.MemoryFile

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["Buffer"]


class Buffer(MemoryFile):
    """A binary file in pooled memory, with the methods of ``io.BytesIO``; ``view()`` gives the memory itself.

    It grows by moving to the pool's next tier; what it leaves behind is wiped. Between request and response one
    coroutine or thread at a time uses it (H44). After its release every use raises `BufferReleased`.

    Made by ``ctx.buffer(size)``, ``pool.acquire(size)`` and ``pool.lease(size)``.
    """

    __slots__ = ()

    # --- content ------------------------------------------------------------------------------------------------------

    def writelines(self, lines: Iterable[ReadableBuffer], /) -> None:
        """Write each of `lines`."""
        for line in lines:
            self.write(line)

    def read1(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes from the position on; all that is left if negative or None."""
        return self.read(size)

    def readinto1(self, target: WriteableBuffer, /) -> int:
        """Fill `target`, writable memory, from the position on; return how many bytes."""
        return self.readinto(target)

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

    def getbuffer(self) -> memoryview:
        """Return a read-only view of the content, without copying. While it lives the buffer cannot grow."""
        return self.view(0, len(self), readonly=True)

    def __bool__(self) -> bool:
        return True

    # --- being a file -------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Do nothing: wrappers such as TextIOWrapper close what they wrap. The end of the request gives back."""

    def flush(self) -> None:
        """Do nothing; there is nothing between the buffer and its memory."""
        self.tell()

    def readable(self) -> bool:
        """Return True."""
        self.tell()
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
        self._store.release(self)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        msg = "a Buffer is neither copied nor pickled: two would share its memory. getvalue() is a copy of the content"
        raise NotCopyable(msg)

    def __repr__(self) -> str:
        state = "released" if self.closed else f"{len(self)} of {self.capacity} bytes"
        return f"<Buffer {state}>"

    def _refuse_use(self) -> NoReturn:
        raise reported(self._after_release())

    def _after_release(self) -> BufferReleased:
        msg = "this buffer was given back; use it before the response ends, and getvalue() for a copy that stays"
        return BufferReleased(msg)

    def _refuse_growth(self, size: int) -> NoReturn:
        msg = f"a buffer of {self.capacity} bytes cannot grow to {size} while views of it exist; release them first"
        raise BufferInUse(msg)


io.BufferedIOBase.register(Buffer)
