"""Secret: bytes that are wiped, redacted and compared in constant time."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from itertools import chain
from typing import Any, ClassVar, NoReturn, overload

from poolware._core.memory import flat, wipe
from poolware._core.misuse import reported
from poolware._core.options import whole_number
from poolware.errors import NotCopyable, SecretReleased

__all__ = ["Secret", "SecretField"]


class Secret:
    """Bytes in memory of their own, which ``wipe()`` fills with zeros.

    The memory has a fixed capacity; a longer value moves to larger memory and the old is wiped. Setting a value leaves
    no copy of it behind. What `reveal` returns is the caller's own copy.

    Args:
        capacity: bytes that fit without moving, at least 1.

    Raises:
        BadOption: `capacity` is no whole number of at least 1.
    """

    __slots__ = ("_ended", "_memory", "_size")

    def __init__(self, value: str | bytes = b"", *, capacity: int = 64) -> None:
        self._memory: memoryview | None = memoryview(bytearray(whole_number("capacity", capacity, at_least=1)))
        self._size = 0
        self.set(value)

    def set(self, value: str | bytes | bytearray | memoryview) -> None:
        """Replace the value; a str is stored as UTF-8, lone surrogates included.

        Raises `SecretReleased` after the end of the request, TypeError for anything else than text or bytes.
        """
        if value is None:  # what a header that is missing gives
            msg = "a Secret takes str or bytes, not None; '' empties it"
            raise TypeError(msg)
        source = value if isinstance(value, str) else flat(value)
        memory = self._live()
        size = _utf8_size(source) if isinstance(source, str) else len(source)
        if size > len(memory):
            wipe(memory, 0, len(memory))
            self._memory = memory = memoryview(bytearray(max(size, 2 * len(memory))))
        self._size = max(self._size, size)  # what an interrupt leaves half written is wiped like the rest (H18)
        if isinstance(source, str):
            for place, unit in enumerate(_utf8(source)):
                memory[place] = unit
        else:
            memory[:size] = source
        wipe(memory, size, len(memory))
        self._size = size
        if self._memory is None:  # the request ended in another thread meanwhile
            wipe(memory, 0, size)
            self._live()

    def reveal(self) -> bytes:
        """Return a copy of the value. Raises `SecretReleased` after the end of the request."""
        return self._live()[: self._size].tobytes()

    def reveal_text(self) -> str:
        """Return a copy of the value, decoded from UTF-8. Raises `SecretReleased` after the end of the request."""
        return str(self._live()[: self._size], "utf-8", "surrogatepass")

    def wipe(self) -> None:
        """Fill the memory with zeros; the secret is then empty."""
        wipe(self._live(), 0, self._size)
        self._size = 0

    def __bool__(self) -> bool:
        self._live()
        return self._size > 0

    def __eq__(self, other: object) -> bool:
        """Compare with a str, bytes or another secret, in a time that does not depend on where they differ."""
        if isinstance(other, str):
            other = Secret(other)  # encode() would leave a copy that nobody wipes
        if isinstance(other, Secret):
            return hmac.compare_digest(self._live()[: self._size], other._live()[: other._size])
        if not isinstance(other, bytes | bytearray | memoryview):
            return NotImplemented
        return hmac.compare_digest(self._live()[: self._size], other)

    __hash__: ClassVar[None]  # type: ignore[assignment]  # a hash would tell the value

    def __repr__(self) -> str:
        if self._memory is None:
            return "<Secret released>"
        return "<Secret set>" if self._size else "<Secret empty>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        msg = "a Secret is neither copied nor pickled; reveal() gives its value to code that must have it"
        raise NotCopyable(msg)

    def _live(self) -> memoryview:
        if self._memory is None:
            msg = "this secret was wiped when its request ended; take what you need with reveal() before that"
            raise reported(SecretReleased(msg + self._ended))
        return self._memory

    def _retire(self, because: str = "") -> None:
        """Wipe for good: whoever still holds this secret finds it released, and told `because`."""
        self._ended = because
        memory, self._memory = self._memory, None
        if memory is not None:
            wipe(memory, 0, self._size)

    def __del__(self) -> None:
        if hasattr(self, "_memory"):
            self._retire()


class SecretField:
    """The attribute of a context that holds a `Secret`: reads give the Secret, writes set its value."""

    __slots__ = ("_capacity", "_member")

    def __init__(self, member: Any, capacity: int) -> None:
        self._member = member
        self._capacity = capacity

    @overload
    def __get__(self, obj: None, owner: type) -> SecretField: ...
    @overload
    def __get__(self, obj: object, owner: type) -> Secret: ...
    def __get__(self, obj: object | None, owner: type) -> SecretField | Secret:
        if obj is None:
            return self
        secret: Secret | None = self._member.__get__(obj)
        if secret is None:
            secret = Secret(capacity=self._capacity)
            self._member.__set__(obj, secret)
        return secret

    def __delete__(self, obj: object) -> None:
        self.__get__(obj, type(obj)).wipe()

    def __set__(self, obj: object, value: str | bytes | bytearray | memoryview | Secret) -> None:
        if isinstance(value, Secret):
            value = value._live()[: value._size]
        self.__get__(obj, type(obj)).set(value)


def _utf8_size(text: str) -> int:
    return len(text) if text.isascii() else sum(1 for _ in _utf8(text))


def _utf8(text: str) -> Iterator[int]:
    """The bytes one after the other: a tuple of them, or an encoded copy, would stay in memory that was freed."""
    if text.isascii():
        return map(ord, text)
    return chain.from_iterable(character.encode("utf-8", "surrogatepass") for character in text)
