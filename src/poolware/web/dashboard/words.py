"""Numbers and times as people say them."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["capital", "count", "span", "times"]

_MINUTE = 60


def span(seconds: float, whole: Callable[[float], int] = math.floor) -> str:
    """Return a time; rounded down, as what is said to be over that has to be."""
    if seconds < 2 * _MINUTE:
        return f"{whole(seconds)} s"
    return f"{whole(seconds / _MINUTE):,} min"


def count(number: int, noun: str) -> str:
    """Return how many of what."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def times(number: int) -> str:
    """Return how often."""
    return "once" if number == 1 else f"{number:,} times"


def capital(text: str) -> str:
    """Return `text` as it begins a sentence."""
    return text[:1].upper() + text[1:]
