"""What is measured: how to make an object, use it, clean it and let go of it."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from poolware._core.memory import wipe
from poolware._core.options import callable_or_none, whole_number
from poolware._core.proof import getrefcount
from poolware.context.base import Context
from poolware.errors import BadOption, PoolwareError
from poolware.pools.objects import ObjectPool

__all__ = ["Subject", "tried"]

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
    closes: bool = field(init=False, default=False)
    """Its objects have a ``close()``."""
    held: bool = field(init=False, default=False)
    """Its objects are referred to by themselves, as SQLite's connections are, or by whoever made them."""

    def __post_init__(self) -> None:
        if not callable(self.make):
            msg = f"{self.make!r:.80}: it takes a class, or a function that builds an object"
            raise BadOption(msg)
        callable_or_none("reset", self.reset)
        callable_or_none("use", self.use)
        whole_number("used_bytes", self.used_bytes)
        first, second = tried(f"{self.name}()", self.make), tried(f"{self.name}()", self.make)
        object.__setattr__(self, "closes", tried(f"looking for {self.name}.close", functools.partial(_closes, first)))
        try:
            self._check(first, second)
            nobody_elses = _Holder(None)
            object.__setattr__(self, "held", getrefcount(first) > getrefcount(nobody_elses) and not self.is_context)
        finally:
            for obj in (first, second):
                tried(f"closing a {self.name}", functools.partial(self.end, obj))

    @property
    def name(self) -> str:
        """Of the class or function."""
        return str(getattr(self.make, "__qualname__", type(self.make).__name__))

    @property
    def worker(self) -> Function | None:
        """What uses an object as a request would; None if nothing does."""
        return self._write if self.used_bytes else self.use

    @property
    def cleaner(self) -> Function | None:
        """What makes a used object as good as new; None where that needs nothing."""
        return self._wipe if self.used_bytes else self.reset

    def pool(self) -> ObjectPool[Any]:
        """Return a pool of such objects, or of holders of them."""
        if self.is_context:
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
        if self.closes:
            _inner(obj).close()

    def empty(self, pool: ObjectPool[Any]) -> None:
        """Let go of what rests in `pool`."""
        objects = [pool.acquire() for _ in range(pool.get_stats().idle)]
        while objects:
            self.end(objects[-1])
            pool.release(objects.pop())
        pool.clear()

    @property
    def is_context(self) -> bool:
        """Whether it is a context class, which brings its own reset."""
        return isinstance(self.make, type) and issubclass(self.make, Context)

    def _write(self, obj: Any) -> None:
        memoryview(obj).cast("B")[: self.used_bytes] = _written(self.used_bytes)
        if self.use is not None:
            self.use(obj)

    def _wipe(self, obj: Any) -> None:
        if self.reset is not None:
            self.reset(obj)
        with memoryview(obj).cast("B") as memory:
            wipe(memory, 0, self.used_bytes)

    def _check(self, first: Any, second: Any) -> None:
        if isinstance(first, _USED_UP):
            msg = f"{self.name}() returns a {type(first).__name__}, which is used up once; it takes a plain function"
            raise BadOption(msg)
        if first is second:
            msg = f"{self.name}() returns the same object each time, {first!r:.60}: there is nothing to pool"
            raise BadOption(msg)
        if self.used_bytes and not _is_writable(first, self.used_bytes):
            lacking = f"a {type(first).__name__} has no writable memory of that size"
            msg = f"used_bytes={self.used_bytes}: {lacking}; it takes what there is"
            raise BadOption(msg)
        if self.is_context and self.reset is not None:
            msg = f"reset={self.reset!r:.80}: {self.name} is a context class, which resets itself; leave out reset="
            raise BadOption(msg)
        tried(f"using a {self.name}", lambda: self.work(first))
        if self.cleaner is not None:
            cleaner = self.cleaner
            tried(f"resetting a {self.name}", lambda: cleaner(first))


def _closes(obj: object) -> bool:
    close = getattr(obj, "close", None)
    return callable(close) and not isinstance(obj, type) and not inspect.iscoroutinefunction(close)


def _inner(obj: Any) -> Any:
    return obj.item if type(obj) is _Holder else obj


@functools.cache
def _written(size: int) -> bytes:
    """What a use writes; made once, as it would count as the use's own memory."""
    return b"\x01" * size


def tried(what: str, function: Callable[[], Any]) -> Any:
    """Call `function`, and turn whatever a user's code raises into `BadOption`."""
    try:
        return function()
    except PoolwareError:
        raise
    except (Exception, SystemExit) as error:
        msg = f"{what} failed: {type(error).__name__}: {error}. It takes functions that work when they are called so"
        raise BadOption(msg) from error


def _is_writable(obj: Any, size: int) -> bool:
    try:
        with memoryview(obj) as view:
            return not view.readonly and view.nbytes >= size
    except TypeError:
        return False
