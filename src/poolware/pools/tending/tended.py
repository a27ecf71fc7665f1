"""A pool as those see it who look after it now and then."""

from __future__ import annotations

from typing import NamedTuple, Protocol

__all__ = ["Counts", "Tended"]


class Counts(NamedTuple):
    """Exact figures that a pool keeps anyway."""

    idle: int
    in_use: int
    acquired: int
    """Ever."""
    dropped: int
    """Ever: came back and found no room."""


class Tended(Protocol):
    """What the strategies read and do. None of it is on the way of an acquisition or release."""

    name: str
    max_idle: int

    def _counts(self) -> Counts: ...

    def _build_ahead(self, count: int) -> None:
        """Build `count` objects to rest, fewer if there is no room for them."""

    def _let_go(self, count: int) -> None:
        """Drop `count` resting objects, fewer if there are not so many."""

    def resize(self, max_idle: int) -> None: ...
