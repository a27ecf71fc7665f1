"""`with` and `async with` around something that is made there and closed there."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Fresh(Generic[T]):
    """Made on entering, closed on leaving."""

    __slots__ = ("item", "make")

    def __init__(self, make: Callable[[], T]) -> None:
        self.make: Callable[[], T] = make

    def __enter__(self) -> T:
        self.item: T = self.make()
        return self.item

    def __exit__(self, *_: object) -> None:
        self.item.close()  # type: ignore[attr-defined]

    async def __aenter__(self) -> T:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()
