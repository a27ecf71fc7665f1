"""A loan for the length of a block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from poolware.errors import AlreadyLeased

if TYPE_CHECKING:
    from collections.abc import Awaitable

__all__ = ["AsyncPool", "Lease", "Pool"]

T = TypeVar("T")


class Pool(Protocol[T]):
    """Anything that lends objects and takes them back."""

    def acquire(self) -> T:
        """Lend an object."""
        ...

    def release(self, obj: T, /) -> object:
        """Take it back."""
        ...


class AsyncPool(Protocol[T]):
    """Anything that lends objects to event loops, and takes them back without waiting."""

    def aacquire(self) -> Awaitable[T]:
        """Lend an object."""
        ...

    def release(self, obj: T, /) -> object:
        """Take it back."""
        ...


class Lease(Generic[T]):
    """``with pool.lease() as obj``: acquires at the start of the block, releases at its end however it is left."""

    __slots__ = ("_obj", "_pool")

    def __init__(self, pool: Pool[T]) -> None:
        self._pool = pool

    def __enter__(self) -> T:
        if hasattr(self, "_obj"):
            msg = "this lease is in use already; each `with` takes one of its own from pool.lease()"
            raise AlreadyLeased(msg)
        self._obj = self._pool.acquire()
        return self._obj

    def __exit__(self, *exc_info: object) -> None:
        obj = self._obj
        del self._obj
        self._pool.release(obj)
