"""What is measured: how to make an object, use it, clean it and let go of it."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from poolware._core.options import callable_or_none, whole_number
from poolware.context.base import Context
from poolware.errors import BadOption
from poolware.pools.objects import ObjectPool

__all__ = ["Subject"]

Function = Callable[[Any], object]

_USED_UP = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)


class _Holder:
    """What the pool lends and proves unshared where the object itself has further references."""

    __slots__ = ("item",)

    def __init__(self, item: Any) -> None:
        self.item = item


@dataclass(frozen=True)
class Subject:
    """A class or factory, tried out.

    Raises:
        BadOption: it needs arguments, raises, returns the same object each time or something that can be used only
            once; or the other functions do not get along with its objects.
    """

    make: Callable[[], Any]
    reset: Function | None = None
    use: Function | None = None
    used_bytes: int = 0
    """Written by each use, and overwritten with zeros by the reset."""
    held: bool = field(init=False, default=False)
    """Its objects are referred to by themselves, as SQLite's connections are, or by whoever made them."""

    def __post_init__(self) -> None:
        if not callable(self.make):
            msg = f"{self.make!r:.80}: it takes a class, or a function that builds an object"
            raise BadOption(msg)
        callable_or_none("reset", self.reset)
        callable_or_none("use", self.use)
        whole_number("used_bytes", self.used_bytes)
        pair = _tried(f"{self.name}()", self.make), _tried(f"{self.name}()", self.make)
        try:
            self._check(*pair)
        finally:
            for obj in pair:
                self.end(obj)
        del pair, obj
        object.__setattr__(self, "held", self._is_held())

    @property
    def name(self) -> str:
        """Of the class or function."""
        return str(getattr(self.make, "__qualname__", type(self.make).__name__))

    @property
    def worker(self) -> Function | None:
        """What uses an object as a request would; None if nothing does."""
        return self._written if self.used_bytes else self.use

    @property
    def cleaner(self) -> Function | None:
        """What makes a used object as good as new; None where that needs nothing."""
        return self._wiped if self.used_bytes else self.reset

    def pool(self) -> ObjectPool[Any]:
        """Return a pool of such objects, or of holders of them."""
        if self._is_context:
            return ObjectPool(self.make)
        clean = self.cleaner
        if self.held:
            reset = clean and (lambda holder: clean(holder.item))
            return ObjectPool(lambda: _Holder(self.make()), reset=reset)
        return ObjectPool(self.make, reset=clean)

    def work(self, obj: Any) -> None:
        """Use an object, or what its holder holds, if anything does."""
        if self.worker is not None:
            self.worker(_inner(obj))

    def end(self, obj: Any) -> None:
        """Let go of an object as careful code does: what has a ``close()`` is closed."""
        if self.closes(obj):
            _inner(obj).close()

    def closes(self, obj: Any) -> bool:
        """Whether the object wants to be closed."""
        close = getattr(_inner(obj), "close", None)
        return callable(close) and not isinstance(obj, type) and not inspect.iscoroutinefunction(close)

    def empty(self, pool: ObjectPool[Any]) -> None:
        """Let go of what rests in `pool`."""
        for _ in range(pool.get_stats().idle):
            obj = pool.acquire()
            self.end(obj)
            pool.release(obj)
            del obj
        pool.clear()

    @property
    def _is_context(self) -> bool:
        return isinstance(self.make, type) and issubclass(self.make, Context)

    def _written(self, obj: Any) -> None:
        memoryview(obj).cast("B")[: self.used_bytes] = b"\x01" * self.used_bytes
        if self.use is not None:
            self.use(obj)

    def _wiped(self, obj: Any) -> None:
        if self.reset is not None:
            self.reset(obj)
        memoryview(obj).cast("B")[: self.used_bytes] = bytes(self.used_bytes)

    def _check(self, first: Any, second: Any) -> None:
        if isinstance(first, _USED_UP):
            msg = f"{self.name}() returns a {type(first).__name__}, which is used up once; it takes a plain function"
            raise BadOption(msg)
        if first is second:
            msg = f"{self.name}() returns the same object each time, {first!r:.60}: there is nothing to pool"
            raise BadOption(msg)
        if self.used_bytes and not _is_writable(first, self.used_bytes):
            msg = f"used_bytes={self.used_bytes}: a {type(first).__name__} has no writable memory of that size"
            raise BadOption(msg)
        if self._is_context and self.reset is not None:
            msg = f"reset={self.reset!r:.80}: {self.name} is a context class, which resets itself; leave it out"
            raise BadOption(msg)
        _tried(f"using a {self.name}", lambda: self.work(first))
        if self.cleaner is not None:
            cleaner = self.cleaner
            _tried(f"resetting a {self.name}", lambda: cleaner(first))

    def _is_held(self) -> bool:
        pool = self.pool()
        obj = pool.acquire()
        pool.release(obj)
        own = pool.get_stats()
        del obj
        held = own.idle > 0 and _hits_after_another_turn(pool) == 0
        self.empty(pool)
        return held


def _hits_after_another_turn(pool: ObjectPool[Any]) -> int:
    pool.release(pool.acquire())
    return pool.get_stats().hits


def _inner(obj: Any) -> Any:
    return obj.item if type(obj) is _Holder else obj


def _tried(what: str, function: Callable[[], Any]) -> Any:
    try:
        return function()
    except (Exception, SystemExit) as error:
        msg = f"{what} failed: {type(error).__name__}: {error}. It takes functions that work when they are called so"
        raise BadOption(msg) from error


def _is_writable(obj: Any, size: int) -> bool:
    try:
        with memoryview(obj) as view:
            return not view.readonly and view.nbytes >= size
    except TypeError:
        return False
