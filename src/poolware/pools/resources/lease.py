"""A loan of a scarce resource for the length of a block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from poolware.errors import AlreadyLeased

if TYPE_CHECKING:
    from poolware.pools.resources import ResourcePool
    from poolware.pools.resources.waiting import Priority

__all__ = ["AsyncResourceLease", "ResourceLease"]

T = TypeVar("T")


class _Loan(Generic[T]):
    __slots__ = ("_obj", "_pool", "_priority", "_timeout")
    _obj: T

    def __init__(self, pool: ResourcePool[T], timeout: float | None, priority: Priority) -> None:
        self._pool = pool
        self._timeout = timeout
        self._priority = priority

    def _check(self) -> None:
        if hasattr(self, "_obj"):
            msg = "this lease is in use already; each block takes one of its own from the pool"
            raise AlreadyLeased(msg)


class ResourceLease(_Loan[T]):
    """``with pool.lease() as resource``: a block that raises has its resource validated, or discarded."""

    __slots__ = ()

    def __enter__(self) -> T:
        self._check()
        self._obj = self._pool.acquire(self._timeout, self._priority)
        return self._obj

    def __exit__(self, kind: object, *_: object) -> None:
        obj = self._obj
        del self._obj
        self._pool.release(obj, failed=kind is not None)


class AsyncResourceLease(_Loan[T]):
    """``async with pool.alease() as resource``: the same on an event loop."""

    __slots__ = ()

    async def __aenter__(self) -> T:
        self._check()
        self._obj = await self._pool.aacquire(self._timeout, self._priority)
        return self._obj

    async def __aexit__(self, kind: object, *_: object) -> None:
        obj = self._obj
        del self._obj
        self._pool.release(obj, failed=kind is not None)
