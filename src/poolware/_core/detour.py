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


def around_plain(cycle: Cycle, taken: Watcher, given: Watcher) -> Detour:
    """Return the detour of a pool of plain objects."""
    take_back: Callable[[int, object], Any] = _names(cycle)["take_back"]

    def take_back_and_tell(key: int, nothing: object) -> Any:
        obj = take_back(key, nothing)
        if obj is not nothing:
            given(obj)
        return obj

    return _around(cycle, {"take_back": take_back_and_tell}, taken)


def around_context(cycle: Cycle, taken: Watcher, given: Watcher) -> Detour:
    """Return the detour of a pool of contexts whose cycle was generated."""
    names = _names(cycle)
    return _around(cycle, {name: _telling(names[name], given) for name in ("push", "retire", "spoilt")}, taken)


def around_compiled(
    cycle: Cycle, calls: dict[str, Any], stores: tuple[Any, Any], taken: Watcher, given: Watcher
) -> Detour:
    """Return the detour of a compiled cycle. Of `stores` the first is the pool's, the second stays empty."""
    made: Any = cycle.acquire.__self__  # type: ignore[attr-defined]
    idle, empty = stores
    take = partial(made.take, idle, calls["build"])
    around = calls | {name: _telling(calls[name] or idle.append, given) for name in ("drop", "retire", "spoilt")}
    around["build"] = partial(_lent, take, taken)
    return Detour(take, lambda on: made.redirect(empty, around) if on else made.redirect(idle, calls))


def _names(cycle: Cycle) -> dict[str, Any]:
    """What the generated functions call, by name."""
    names: dict[str, Any] = cycle.acquire.__globals__
    return names


def _around(cycle: Cycle, around: dict[str, Any], taken: Watcher) -> Detour:
    names = _names(cycle)
    take = FunctionType(cycle.acquire.__code__, names.copy())
    around |= {"pop": _nothing, "build": partial(_lent, take, taken)}
    usual = {name: names[name] for name in around}
    return Detour(take, lambda on: names.update(around if on else usual))


def _telling(usual: Callable[..., Any], given: Watcher) -> Callable[..., Any]:
    def tell(obj: Any, *rest: Any) -> Any:
        given(obj)
        return usual(obj, *rest)

    return tell


def _lent(take: Callable[[], Any], taken: Watcher) -> Any:
    obj = take()
    taken(obj)
    return obj


def _nothing() -> Any:
    raise IndexError
