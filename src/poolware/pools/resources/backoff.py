"""How long to wait before trying again."""

from __future__ import annotations

import random

FIRST = 0.05
"""Seconds before the second attempt."""


def delay(failures: int, longest: float) -> float:
    """Return the seconds to wait after so many `failures` in a row.

    Doubles from 50 ms up to `longest`, of which between a half and all is waited, at random: those who failed together
    do not come back together ("equal jitter", Marc Brooker, "Exponential Backoff And Jitter", 2015).
    """
    full = min(longest, FIRST * 2.0 ** min(failures - 1, 30))
    return full * random.uniform(0.5, 1)  # noqa: S311 - spreads load, protects nothing
