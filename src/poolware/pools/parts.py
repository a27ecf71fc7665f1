"""Parts of an object that somebody outside of it holds (debug mode, H43)."""

from __future__ import annotations

import gc
import re
from collections import deque
from typing import Any

from poolware._core.proof import getrefcount
from poolware._core.state import NOT_STATE, attributes_of, state_of

_IMMUTABLE = (str, bytes, int, float, complex, type(None), range, type(...), type(NotImplemented), re.Pattern)
_LOOKS = 10_000
"""How many objects are looked at: a bound on the time that one release takes."""


def held_parts(whole: object) -> list[str]:
    """Name the mutable parts of `whole` that are referred to from outside, such as ``items (list)``."""
    parts, names, inner = _graph(whole)
    counts = _counts([*parts, object()])  # the last is known to be held by the list alone
    usual = counts.pop() + 1
    return [
        f"{name} ({type(part).__name__})"
        for part, name, count in zip(parts, names, counts, strict=True)
        if count > usual + inner[id(part)]
    ]


def _counts(parts: list[Any]) -> list[int]:
    return [getrefcount(part) for part in parts]


def _graph(whole: object) -> tuple[list[Any], list[str], dict[int, int]]:
    """Return the parts of `whole`, how one gets to each, and how many references come from within."""
    parts: list[Any] = []
    names: list[str] = []
    inner: dict[int, int] = {}
    todo: deque[tuple[Any, str]] = deque([(whole, "")])
    while todo and len(parts) < _LOOKS:
        owner, name = todo.popleft()
        attributes = attributes_of(owner)  # made on demand: the references come from it from then on
        for part in gc.get_referents(owner):
            if issubclass(type(part), (*NOT_STATE, *_IMMUTABLE)) or part is whole or (type(part) is tuple and not part):
                continue
            if id(part) not in inner:
                inner[id(part)] = 0
                parts.append(part)
                names.append(name if part is attributes else _name(owner, part, name))
                todo.append((part, names[-1]))
            inner[id(part)] += 1
    return ([], [], {}) if todo else (parts, names, inner)  # too many: no judgement rather than a wrong one


def _name(owner: Any, part: object, so_far: str) -> str:
    entries = owner if isinstance(owner, dict) else state_of(owner)
    name = next((str(name) for name, value in entries.items() if value is part), None)
    return f"{so_far}[…]" if name is None else f"{so_far}.{name}".lstrip(".")
