"""Stores that keep threads apart: a cache for each, or shards that few of them share."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Iterator
from typing import Any

from poolware._core.options import whole_number
from poolware._core.tally import new_tally
from poolware.errors import BadOption

__all__ = ["ShardedStore", "ThreadStore"]

_EMPTY = "pop from an empty store"


class ThreadStore:
    """Small caches, one a thread, over a reserve that all share.

    A thread's cache keeps what this thread released, wherever it was acquired; what is more goes to the reserve (H31),
    and so does what a thread leaves when it ends. Who finds both empty takes from another's cache.

    Args:
        cache: objects that one thread keeps at the most.
    """

    def __init__(self, cache: int = 16) -> None:
        self._size = whole_number("cache", cache, at_least=1)
        self._reserve: list[Any] = []
        self._caches: dict[int, weakref.ref[_Cache]] = {}
        self._local = threading.local()
        self._local_hits = new_tally()

    @property
    def local_hits(self) -> int:
        """How often a thread found an object in its own cache."""
        return self._local_hits.value

    def append(self, obj: Any) -> None:
        """Make `obj` rest in this thread's cache, or in the reserve if that is full."""
        cache = self._cache()
        (cache if len(cache) < self._size else self._reserve).append(obj)

    def pop(self) -> Any:
        """Return an object from this thread's cache, the reserve or another cache. Raises IndexError without any."""
        try:
            obj = self._cache().pop()
        except IndexError:
            return _pop_first((self._reserve, *self._others()))
        self._local_hits.tick()
        return obj

    def clear(self) -> None:
        """Forget all."""
        for resting in (self._reserve, *self._others()):
            resting.clear()

    def __len__(self) -> int:
        return len(self._reserve) + sum(map(len, self._others()))

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain(*map(tuple, (self._reserve, *self._others())))

    def _cache(self) -> _Cache:
        try:
            return self._local.cache  # type: ignore[no-any-return]
        except AttributeError:
            cache = self._local.cache = _Cache(self._reserve, self._caches)
            return cache

    def _others(self) -> list[_Cache]:
        """Every thread's cache, this one's too."""
        return [cache for ref in list(self._caches.values()) if (cache := ref()) is not None]


class _Cache(list[Any]):
    """What rests with one thread, until it ends."""

    __slots__ = ("__weakref__", "_caches", "_reserve")

    def __init__(self, reserve: list[Any], caches: dict[int, weakref.ref[_Cache]]) -> None:
        super().__init__()
        self._reserve = reserve
        self._caches = caches
        caches[id(self)] = weakref.ref(self)

    def __del__(self) -> None:
        del self._caches[id(self)]
        while self:
            self._reserve.append(self.pop())


class ShardedStore:
    """Several stacks; each thread has one that it uses first, and looks into the others when that is empty.

    Args:
        shards: how many; a power of two.
    """

    def __init__(self, shards: int = 16) -> None:
        if whole_number("shards", shards, at_least=1).bit_count() != 1:
            msg = f"shards={shards!r}: it takes a power of two"
            raise BadOption(msg)
        self._shards: tuple[list[Any], ...] = tuple([] for _ in range(shards))
        self._turns = itertools.cycle(range(shards))
        self._local = threading.local()

    def append(self, obj: Any) -> None:
        """Make `obj` rest in this thread's shard."""
        self._order()[0].append(obj)

    def pop(self) -> Any:
        """Return an object from this thread's shard, or the first other that has one. Raises IndexError without any."""
        order = self._order()
        try:
            return order[0].pop()
        except IndexError:
            return _pop_first(order)

    def clear(self) -> None:
        """Forget all."""
        for shard in self._shards:
            shard.clear()

    def __len__(self) -> int:
        return sum(map(len, self._shards))

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain(*map(tuple, self._shards))

    def _order(self) -> tuple[list[Any], ...]:
        """This thread's shard and the others, in the order in which it looks into them."""
        try:
            return self._local.order  # type: ignore[no-any-return]
        except AttributeError:
            first = next(self._turns)
            order = self._local.order = self._shards[first:] + self._shards[:first]
            return order


def _pop_first(stacks: tuple[list[Any], ...]) -> Any:
    for stack in stacks:
        if stack:
            try:
                return stack.pop()
            except IndexError:  # another thread was faster
                continue
    raise IndexError(_EMPTY)
