"""Making a context as dirty as a request could, and finding that dirt again."""

from __future__ import annotations

import gc
import itertools
from collections import deque
from collections.abc import Iterator
from typing import Any

from poolware._core.state import NOT_STATE, state_of
from poolware.context.base import RequestContext
from poolware.context.fields import is_immutable
from poolware.context.secret import Secret

_LOOKS = 10_000
"""Objects looked at for each field: a bound for fields that hold half of the application."""


class Marks:
    """Values that nothing but `dirty` writes, so that each of them tells where it comes from."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._prefix = f"left by request {id(self):x}."
        self._number = type("MarkedNumber", (int,), {})

    def dirty(self, ctx: RequestContext) -> None:
        """Write to every field of `ctx`, and into what they hold."""
        mark = f"{self._prefix}{next(self._numbers)}"
        for name, (spec, _) in type(ctx).__poolware_fields__.items():
            value = getattr(ctx, name, None)  # the application may have deleted it
            if spec.capacity or not self._mark(value, mark):
                setattr(ctx, name, mark)
        ctx.request_id = mark

    def left_in(self, ctx: RequestContext) -> Iterator[str]:
        """Name the fields of `ctx` in which a mark is found."""
        for name in type(ctx).__poolware_fields__:
            value = getattr(ctx, name)
            if isinstance(value, Secret):
                value = value.reveal()
            for found in _reachable(value):
                if self._is_mark(found):
                    yield f"{type(ctx).__name__}.{name} arrived with what another request wrote: {found!r:.80}"
                    break

    def _mark(self, value: Any, mark: str, depth: int = 3) -> bool:
        """Leave `mark` in a mutable value; False if there is nowhere to leave it."""
        if is_immutable(value):  # shared with all others, whatever Python would let one write into it
            return False
        try:
            match value:
                case dict():
                    value[mark] = mark
                case list() | deque():
                    value.append(mark)
                case set():
                    value.add(mark)
                case bytearray():
                    value += mark.encode()
                case _:
                    return self._mark_state(value, mark, depth)
        except Exception:  # a container that refuses
            return False
        return True

    def _mark_state(self, value: Any, mark: str, depth: int) -> bool:
        state = state_of(value) if depth else {}
        for name, inner in state.items():
            if inner is None or isinstance(inner, str):
                object.__setattr__(value, name, mark)
            elif isinstance(inner, int):
                object.__setattr__(value, name, self._number(1))
            else:
                self._mark(inner, mark, depth - 1)
        return bool(state)

    def _is_mark(self, value: object) -> bool:
        if isinstance(value, bytes | bytearray):
            return self._prefix.encode() in value
        return type(value) is self._number or (isinstance(value, str) and self._prefix in value)


def _reachable(value: object) -> Iterator[object]:
    seen = {id(value)}
    todo = deque([value])
    for _ in range(_LOOKS):
        if not todo:
            return
        found = todo.popleft()
        yield found
        for inner in gc.get_referents(found):
            if id(inner) not in seen and not issubclass(type(inner), NOT_STATE):
                seen.add(id(inner))
                todo.append(inner)
