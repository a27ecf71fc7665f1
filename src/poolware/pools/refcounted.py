"""RefCounted: one pooled object with several holders, each of which lets go in its own time."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, Generic, NoReturn, ParamSpec, Protocol, Self, TypeVar

from poolware._core.log import logger
from poolware._core.misuse import reported
from poolware._core.mode import Mode, current_mode
from poolware.errors import AlreadyReleased, BadOption, NotCopyable, ObjectReleased
from poolware.pools.traces import stack

__all__ = ["RefCounted", "Releasing"]

T = TypeVar("T")
L = TypeVar("L")
P = ParamSpec("P")
T_contra = TypeVar("T_contra", contravariant=True)


class Releasing(Protocol[T_contra]):
    """What takes an object back: any pool."""

    def release(self, obj: T_contra, /) -> object:
        """Take `obj` back."""
        ...


class Lending(Releasing[L], Protocol[P, L]):
    """What lends an object, with whatever arguments."""

    @property
    def acquire(self) -> Callable[P, L]:
        """Lend an object."""
        ...


class RefCounted(Generic[T]):
    """A handle that counts the holders of a pooled object and gives it back when the last of them lets go.

    It begins with one reference, which belongs to whoever made it. Each further holder gets one of its own by
    ``retain()``, before the handle is passed on, and gives it up by ``release()``, in whatever thread or task.

        >>> from poolware import BufferPool
        >>> pool = BufferPool()
        >>> with RefCounted.acquire(pool, 1024) as handle:
        ...     handle.value.write(b"spam")
        4
        >>> handle.count
        0

    A handle that nobody holds any more although its count is above zero is logged. Its object is then let go of, not
    released, since whoever took it from the handle may still be using it: the pool takes it back once it is unshared.

    Args:
        pool: takes the object back, by ``pool.release(obj)``, once.
        obj: what was acquired from it.

    Raises:
        BadOption: `pool` has no ``release``.
    """

    __slots__ = ("__weakref__", "_count", "_history", "_lock", "_obj", "_pool")

    def __init__(self, pool: Releasing[T], obj: T) -> None:
        self._count = 0
        if not callable(getattr(pool, "release", None)):
            msg = f"pool={pool!r}: it takes a pool, which has a release(obj)"
            raise BadOption(msg)
        self._pool = pool
        self._obj: T | None = obj
        self._lock = threading.RLock()  # a finalizer that runs inside may let go of a reference of its own (H35)
        self._history = History() if current_mode() is Mode.DEBUG else None
        if self._history:
            self._history.note("Acquired")
        self._count = 1

    @classmethod
    def acquire(cls, pool: Lending[P, L], /, *args: P.args, **options: P.kwargs) -> RefCounted[L]:
        """Acquire an object with ``pool.acquire(*args, **options)`` and return the handle on it."""
        make: Any = cls
        handle: RefCounted[L] = make(pool, pool.acquire(*args, **options))
        return handle

    @property
    def value(self) -> T:
        """The object. Raises `ObjectReleased` once it has gone back."""
        with self._lock:
            count, obj = self._count, self._obj
        if not count:
            self._refuse("used")
        return obj  # type: ignore[return-value]

    @property
    def count(self) -> int:
        """How many references there are; 0 once the object has gone back."""
        return self._count

    def retain(self) -> Self:
        """Take one more reference and return the handle. Raises `ObjectReleased` once the object has gone back."""
        with self._lock:
            count = self._count
            if count:
                self._count = count + 1
        if not count:
            self._refuse("retained")
        if self._history:
            self._history.note("Retained")
        return self

    def release(self) -> None:
        """Give one reference up; the last one gives the object back.

        Raises:
            AlreadyReleased: there was none left.
        """
        with self._lock:
            count = self._count
            if count:
                self._count = count - 1
            obj = self._obj
            if count == 1:
                self._obj = None
        if not count:
            msg = f"{self!r}: released more often than it was acquired and retained{self._told()}"
            raise AlreadyReleased(msg)
        if count > 1:
            return
        if self._history:
            self._history.note("Released")
        self._pool.release(obj)  # type: ignore[arg-type]

    def __enter__(self) -> Self:
        """Give one reference up at the end of the block: the first, or the one of ``with handle.retain():``."""
        if not self._count:
            self._refuse("entered")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release()

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        # Without a count if it was made with wrong arguments. A process that ends drops everything, and at last what
        # this module is made of: hence the default (H35).
        if getattr(self, "_count", 0) and not ending():
            # As text: a handler that keeps its records would keep the handle, and with it the object.
            logger.error("%s was dropped with references that nobody released%s", repr(self), self._told())

    def __repr__(self) -> str:
        what = f"{type(self._obj).__name__} with {self._count} reference(s)" if self._count else "given back"
        return f"<RefCounted of pool {getattr(self._pool, 'name', self._pool)!r}: {what}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        msg = "a RefCounted is neither copied nor pickled: each copy would give the object back. retain() shares it"
        raise NotCopyable(msg)

    def _refuse(self, how: str) -> NoReturn:
        msg = f"{self!r}: {how} after its last release; a holder takes a reference by retain() first{self._told()}"
        raise reported(ObjectReleased(msg))

    def _told(self) -> str:
        return self._history.tell() if self._history else ""


class History:
    """Where a handle was acquired, retained and given back, each place once (debug mode)."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: Counter[tuple[str, str]] = Counter()

    def note(self, what: str) -> None:
        """Note the caller's stack."""
        self._places[what, stack()] += 1

    def tell(self) -> str:
        """Return all of it as text."""
        return "".join(f"\n{what} {times} time(s) at:\n{at}" for (what, at), times in tuple(self._places.items()))
