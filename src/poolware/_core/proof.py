"""Can this interpreter prove that nobody else holds an object?

Reuse rests on reference counts: an object that a pool has just taken out of its own store has a known count when nobody
else holds it. The count is measured here, once, on the very path that the pools use; an interpreter on which it is not
one of the known values, or does not rise when somebody does hold the object, gets no reuse at all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

getrefcount: Callable[[object], int] = getattr(sys, "getrefcount", lambda _obj: -1)


class _Probe:
    __slots__ = ("part",)
    part: object


def _count_popped(held: list[object]) -> int:
    """The count of an object just popped from a store; `held` keeps it as well if it is not empty."""
    obj = _Probe()
    store = [obj]
    if held:
        held[0] = obj
    del obj
    pop = store.pop
    try:  # as wherever something is popped: from 3.14 on, whether a variable is counted depends on what is around it
        popped = pop()
    except IndexError:
        return -1
    return getrefcount(popped)


def _count_part() -> int:
    obj = _Probe()
    obj.part = _Probe()
    return getrefcount(obj.part)


def _count_lent(held: list[object]) -> int:
    """The count of an object in a set and in a snapshot of it, as the search for lost objects sees it."""
    lent = {_Probe()}
    if held:
        held[0] = next(iter(lent))
    return min(getrefcount(obj) for obj in lent.copy())


SOLE = _count_popped([])
"""The count of an object that the pool popped, behind a try, and nobody else holds."""
PART_SOLE = _count_part()
"""The count of a part that only its slot holds, read as an expression."""
LENT_SOLE = _count_lent([])
"""The count of a lent object that only the pool still knows."""
ARGUMENT_SHOWS_CALLER = sys.version_info < (3, 14)
"""Whether an argument's count includes the caller's own variable (from 3.14 on it may be borrowed)."""


def held_elsewhere(box: list[Any], also: int = 0) -> bool:
    """Whether anybody but `box`, and `also` known others, holds its one object."""
    return getrefcount(box[0]) != PART_SOLE + also


def _refused() -> str | None:
    if sys.implementation.name != "cpython":
        return f"{sys.implementation.name} keeps no reference counts"
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return "a free-threaded interpreter's counts are split between threads"
    known = SOLE in {1, 2} and PART_SOLE == 2 and LENT_SOLE in {3, 4}  # noqa: PLR2004 - 3.11-3.13 and 3.14
    if not known or _count_popped([None]) != SOLE + 1 or _count_lent([None]) != LENT_SOLE + 1:
        return f"this interpreter counts references in an unknown way ({SOLE}, {PART_SOLE}, {LENT_SOLE})"
    return None


REUSE_REFUSED: str | None = _refused()
"""Why nothing is reused on this interpreter; None where reuse is possible."""
