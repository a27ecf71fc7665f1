"""How a request ended, as far as it matters to what it had borrowed."""

from __future__ import annotations

import logging

from poolware._core.log import logger
from poolware._core.tally import Tally, new_tally

__all__ = ["LoanCounts", "Outcome", "label_of"]


class LoanCounts:
    """What was noticed while resources went back to pools that are not poolware's."""

    def __init__(self) -> None:
        self.rolled_back: Tally = new_tally()
        self.discarded: Tally = new_tally()


class Outcome:
    """The end of one request.

    Args:
        request: names it, such as ``GET /orders``; may be empty.
        failed: whether it raised or was cancelled.
        counts: where to count.
    """

    __slots__ = ("_counts", "_request", "failed")

    def __init__(self, request: str, counts: LoanCounts, *, failed: bool) -> None:
        self._request = request or "a request"
        self.failed: bool = failed
        self._counts = counts

    def rolled_back(self, pool: object) -> None:
        """Count and log that a transaction was open."""
        self._counts.rolled_back.tick()
        logger.warning("%s ended inside a transaction of %s, which was rolled back", self._request, label_of(pool))

    def discarded(self, pool: object, kind: str, flaw: str) -> None:
        """Count and log that what goes back is not used again."""
        self._counts.discarded.tick()
        # After a failure that is no surprise: the traceback alone holds whatever the view held.
        level = logging.INFO if self.failed else logging.WARNING
        text = "%s ended, and the %s that it had borrowed from %s is not used again: %s"
        logger.log(level, text, self._request, kind, label_of(pool), flaw)


def label_of(pool: object) -> str:
    """Name a pool for messages: its class, and its name if it has one. Never its repr, which may show a password."""
    name = getattr(pool, "name", None)
    return f"{type(pool).__name__} {name!r:.80}" if isinstance(name, str) else type(pool).__name__
