"""A walker that knows nothing of poolware's field table: it looks into slots, `__dict__` and containers."""

import enum
import types
from collections import deque
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from poolware import Context, ObjectPool, Secret

_ATOMS = (
    *(type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, enum.Enum, ObjectPool),
    PurePath,  # keeps a list of its own
)


class Cart:
    """What an application makes: items, and any attribute that somebody adds."""

    def __init__(self) -> None:
        self.items: list[Any] = []

    def clear(self) -> None:
        self.__dict__.clear()
        self.items = []


class Mark:
    """Put into everything that a test writes: a pristine context holds none."""


_MUTABLE = (dict, list, set, bytearray, deque, Cart, Mark, Context, Secret)


def parts(obj: Any) -> dict[Any, Any]:
    """Everything that `obj` holds, by the name under which it holds it."""
    if isinstance(obj, _ATOMS):
        return {}
    if isinstance(obj, dict):
        return {("key", i): key for i, key in enumerate(obj)} | {("value", i): obj[key] for i, key in enumerate(obj)}
    if isinstance(obj, list | tuple | deque | set | frozenset):
        return dict(enumerate(obj))
    found = {}
    for klass in type(obj).__mro__:
        for name, member in vars(klass).items():
            if isinstance(member, types.MemberDescriptorType):
                try:
                    found[klass.__name__, name] = member.__get__(obj)
                except AttributeError:
                    found[klass.__name__, name] = "no value"
    return found | getattr(obj, "__dict__", {})


def reachable(obj: object) -> Iterator[object]:
    """`obj` and everything reachable from it, each once."""
    seen, waiting = set(), [obj]
    while waiting:
        here = waiting.pop()
        if id(here) not in seen:
            seen.add(id(here))
            yield here
            waiting += parts(here).values()


def mutable_ids(obj: object) -> set[int]:
    """The identities of what is reachable from `obj` and can be changed."""
    return {id(here) for here in reachable(obj) if isinstance(here, _MUTABLE)}


def differences(reused: object, new: object, where: str = "object") -> list[str]:
    """In what `reused` can be told from `new`, which was built just now."""
    if type(reused) is not type(new):
        return [f"{where}: {type(reused)} instead of {type(new)}"]
    if reused is new:
        return [f"{where}: one {type(new)} for two contexts"] if isinstance(new, _MUTABLE) else []
    ours, theirs = parts(reused), parts(new)
    if list(ours) != list(theirs):
        return [f"{where}: has {list(ours)} instead of {list(theirs)}"]
    if not theirs and not isinstance(new, Cart | Mark) and reused != new:
        return [f"{where}: {reused!r} instead of {new!r}"]
    return [text for name, part in theirs.items() for text in differences(ours[name], part, f"{where}.{name}")]
