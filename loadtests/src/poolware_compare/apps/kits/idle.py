"""The list of idle objects that many a code base has somewhere."""

from collections.abc import Callable
from typing import Any


class Idle:
    """Objects that rest between two uses. Appending and popping are atomic, so that threads may share it."""

    def __init__(self, make: Callable[[], Any], reset: Callable[[Any], object] | None = None) -> None:
        self.make = make
        self.reset = reset
        self.items: list[Any] = []

    def __call__(self) -> "Use":
        return Use(self)

    def take(self) -> Any:
        """Return an idle object, or a new one."""
        try:
            return self.items.pop()
        except IndexError:
            return self.make()


class Use:
    """One use, for a `with` or an `async with`."""

    __slots__ = ("idle", "item")

    def __init__(self, idle: Idle) -> None:
        self.idle: Idle = idle

    def __enter__(self) -> Any:
        self.item: Any = self.idle.take()
        return self.item

    def __exit__(self, *_: object) -> None:
        if self.idle.reset is not None:
            self.idle.reset(self.item)
        self.idle.items.append(self.item)

    async def __aenter__(self) -> Any:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()
