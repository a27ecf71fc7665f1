"""Where every use of something released is reported, before it raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

E = TypeVar("E", bound=Exception)

observers: list[Callable[[Exception], object]] = []
"""Called with each error; for test suites, which want to know of it even where the application swallows it."""


def reported(error: E) -> E:
    """Show `error` to the observers and return it."""
    for observer in tuple(observers):
        observer(error)
    return error
