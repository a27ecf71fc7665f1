"""A way around the hot path, for as long as somebody watches: as nobody is asked there, nobody else pays for it.

An acquisition finds the store empty and has its object built, which is where the detour begins. So whoever has kept
``pool.acquire`` or ``lifecycle.begin`` takes it too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any, NamedTuple

from poolware._core.cycle import Cycle

Watcher = Callable[[Any], object]


class Detour(NamedTuple):
    """What is switched between."""

    take: Callable[[], Any]
    """Acquire without being watched."""
    switch: Callable[[bool], None]
    """Go around, or straight on again."""


def around_names(cycle: Cycle, taken: Watcher, given: Watcher, *, by_id: bool) -> Detour:
    """Return the detour of a generated cycle: of its functions other names mean something else then."""
    names: dict[str, Any] = cycle.acquire.__globals__  # type: ignore[attr-defined]
    take = FunctionType(cycle.acquire.__code__, names.copy())  # type: ignore[attr-defined]
    usual = {name: names[name] for name in ("pop", "build", "take_back")}
    take_back = usual["take_back"]

    def take_back_by_id(key: int, nothing: object) -> Any:
        obj = take_back(key, nothing)
        if obj is not nothing:
            given(obj)
        return obj

    def take_back_itself(obj: Any) -> None:
        take_back(obj)
        given(obj)

    around = {
        "pop": _nothing,
        "build": partial(_lent, take, taken),
        "take_back": take_back_by_id if by_id else take_back_itself,
    }
    return Detour(take, lambda on: names.update(around if on else usual))


def around_calls(cycle: Cycle, calls: dict[str, Any], stores: tuple[Any, Any], taken: Watcher, given: Watcher) -> Detour:
    """Return the detour of a compiled cycle. Of `stores` the first is the pool's, the second stays empty."""
    made: Any = cycle.acquire.__self__  # type: ignore[attr-defined]
    idle, empty = stores
    take = partial(made.take, idle, calls["build"])

    def telling(name: str) -> Callable[..., Any]:
        usual = idle.append if calls[name] is None else calls[name]

        def tell(obj: Any, *rest: Any) -> Any:
            given(obj)
            return usual(obj, *rest)

        return tell

    around = calls | {name: telling(name) for name in ("drop", "retire", "spoilt")}
    around["build"] = partial(_lent, take, taken)
    return Detour(take, lambda on: made.redirect(empty, around) if on else made.redirect(idle, calls))


def _lent(take: Callable[[], Any], taken: Watcher) -> Any:
    obj = take()
    taken(obj)
    return obj


def _nothing() -> Any:
    raise IndexError
