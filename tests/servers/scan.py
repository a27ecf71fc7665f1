"""What another process has in memory, and a value to look for that never crosses the wire in the open.

The test seals the value and looks for it; the app that is looked at opens it.
"""

from __future__ import annotations

import ctypes
import secrets
import string
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHARACTERS = 32
PIECE = 8
"""Characters. Of any 15 characters in a row that are left somewhere, one whole piece is among them."""
WIDE = [chr(point) for point in range(0x4E00, 0x9FA6)]
KERNEL = ("[vvar", "[vsyscall", "[vdso")
"""Regions that the kernel shows to every process, and lets nobody else read."""
LOOKS = 5


@dataclass(frozen=True)
class Canary:
    """A text that nobody else has. `width` is what one of its characters takes in a Python str, in bytes."""

    text: str
    width: int

    @classmethod
    def fresh(cls, width: int = 1) -> Canary:
        letters: Sequence[str] = string.ascii_letters + string.digits if width == 1 else WIDE
        return cls("".join(secrets.choice(letters) for _ in range(CHARACTERS)), width)

    @property
    def plain(self) -> bytes:
        """The characters as a Python str has them in memory."""
        return self.text.encode("ascii" if self.width == 1 else "utf-16-le")

    def sealed(self) -> bytes:
        """A key that is used once, and the characters under it: all that crosses the wire."""
        key = secrets.token_bytes(len(self.plain))
        return key + bytes(left ^ right for left, right in zip(key, self.plain, strict=True))


def needles(canaries: Iterable[Canary], references: Sequence[int]) -> dict[str, set[bytes]]:
    """Return the pieces to look for in each form in which memory may have them, without their zero bytes.

    Without those UTF-16 and UTF-32 are the same, and for an ASCII text the same as UTF-8. `references` are the
    addresses of the integers 0 to 255 in the process that is looked at: a tuple of bytes is an array of those.
    """
    forms: dict[str, Callable[[str], bytes]] = {
        "utf-8": str.encode,
        "utf-16": lambda piece: piece.encode("utf-16-le"),
        "references": lambda piece: b"".join(references[unit].to_bytes(8, "little") for unit in piece.encode()),
    }
    pieces = [canary.text[start : start + PIECE] for canary in canaries for start in range(0, len(canary.text), PIECE)]
    return {name: {form(piece).replace(b"\0", b"") for piece in pieces} for name, form in forms.items()}


_new_bytes = ctypes.pythonapi.PyBytes_FromStringAndSize
_new_bytes.restype, _new_bytes.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_ssize_t]
_new_str = ctypes.pythonapi.PyUnicode_New
_new_str.restype, _new_str.argtypes = ctypes.py_object, [ctypes.c_ssize_t, ctypes.c_uint32]


@dataclass(frozen=True)
class Sealed:
    """What came over the wire: a key, and the value under it; and how often the value is to be repeated."""

    body: bytes
    width: int
    times: int

    @contextmanager
    def opened(self, kind: type) -> Iterator[Any]:
        """Give the value as an object of `kind`, whose memory is zero again after the block."""
        half = len(self.body) // 2
        obj, memory = _blank(kind, half * self.times, self.width)
        for place in range(half * self.times):
            memory[place] = self.body[place % half] ^ self.body[half + place % half]
        try:
            yield obj
        finally:
            ctypes.memset(memory, 0, half * self.times)


def _blank(kind: type, size: int, width: int) -> tuple[Any, Any]:
    """Return a new object and its `size` bytes of memory, also of those that Python itself never changes."""
    array = ctypes.c_ubyte * size
    if kind is bytearray:
        obj: Any = bytearray(size)
        return obj, array.from_buffer(obj)
    if kind is bytes:
        obj = _new_bytes(None, size)
        return obj, array.from_address(id(obj) + bytes.__basicsize__ - 1)
    obj = _new_str(size // width, 127 if width == 1 else 0xFFFF)
    return obj, array.from_address(id(obj) + sys.getsizeof(obj) - size - width)


def found(pid: int, needles: Mapping[str, Iterable[bytes]]) -> Counter[str]:
    """Count the needles of each form in the memory of process `pid`: of those that are there, and in which region.

    Looks at all that is readable and was ever writable: heap, anonymous maps, stacks and the data of libraries. When a
    region has changed meanwhile, it looks again at all of them.
    """
    for _ in range(LOOKS):
        try:
            return _count(pid, needles)
        except OSError as error:
            if isinstance(error, PermissionError | ProcessLookupError | FileNotFoundError):
                raise
    msg = f"the memory of process {pid} did not hold still"
    raise AssertionError(msg)


def _count(pid: int, needles: Mapping[str, Iterable[bytes]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for name, start, stop in _regions(pid):
            memory.seek(start)
            content = memory.read(stop - start)
            if len(content) != stop - start:
                msg = f"{name} is shorter than it was"
                raise OSError(msg)
            content = content.translate(None, b"\0")  # four fifths of it are zeros, which make searching slow
            for form, pieces in needles.items():
                counts[f"{form} in {name}"] += sum(map(content.count, pieces))
    return +counts


def _regions(pid: int) -> Iterator[tuple[str, int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        addresses, permissions, _, _, inode, *path = line.split(maxsplit=5)
        name = path[0].rpartition("/")[2] if path else "anonymous memory"
        if permissions[0] == "r" and (permissions[1] == "w" or inode == "0") and not name.startswith(KERNEL):
            start, _, stop = addresses.partition("-")
            yield name, int(start, 16), int(stop, 16)
