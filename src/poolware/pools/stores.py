"""Where the objects of an ObjectPool rest: in which order they are used again, and by which thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Literal, Protocol, get_args

from poolware.errors import BadOption
from poolware.pools.thread_store import ShardedStore, ThreadStore
from poolware.pools.victims import GcVictimsStore

__all__ = ["Store", "StoreName", "new_store"]

StoreName = Literal["stack", "fifo", "thread", "sharded", "gc_victims"]


class Store(Protocol):
    """Objects at rest. Every method may be called by many threads at once, and is right without a lock around it.

    What `append` was given `pop` returns once, and meanwhile nobody but the store holds it.
    """

    @property
    def append(self) -> Callable[[Any], None]:
        """Make an object rest."""
        ...

    @property
    def pop(self) -> Callable[[], Any]:
        """Return one and forget it. Raises IndexError if there is none."""
        ...

    def clear(self) -> None:
        """Forget all."""
        ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...


class FifoStore(deque[Any]):
    """What has rested longest is used first."""

    __slots__ = ()
    pop: ClassVar[Any] = deque.popleft


_STORES: dict[StoreName, Callable[[], Any]] = {
    "stack": list,
    "fifo": FifoStore,
    "thread": ThreadStore,
    "sharded": ShardedStore,
    "gc_victims": GcVictimsStore,
}


def new_store(store: StoreName | Callable[[], Store]) -> Any:
    """Return a new store of this name, or made by this function.

    Raises:
        BadOption: there is none of this name, or the function returned something else, or a store in use.
    """
    if isinstance(store, str) and store in _STORES:
        return _STORES[store]()
    if isinstance(store, str) or not callable(store):
        names = ", ".join(map(repr, get_args(StoreName)))
        msg = f"store={store!r}: it takes {names}, or a function that makes a store"
        raise BadOption(msg)
    made = store()
    if any(not hasattr(made, name) for name in ("append", "pop", "clear", "__len__", "__iter__")) or len(made):
        msg = f"store={store!r}: it made {made!r}; it has to make an empty store of its own for each pool"
        raise BadOption(msg)
    return made
