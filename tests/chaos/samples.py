"""What is pooled in chaos, and what it looks like when it is new; told without asking poolware."""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Iterator
from typing import Any

from poolware import RequestContext, SecretField, field, secret


class Fault(Exception):
    """Raised by a hook on purpose."""


class Interrupt(BaseException):
    """The same, as gevent's Timeout and KeyboardInterrupt are: no Exception."""


class Trouble:
    """Makes the next calls of a hook fail; counts how often one did."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.armed: dict[str, int] = {}
        self.raised: Counter[tuple[str, type[BaseException]]] = Counter()
        self.kind: type[BaseException] = Fault

    def disarm(self) -> None:
        self.armed.clear()
        self.kind = Fault

    def arm(self, hook: str, times: int, kind: type[BaseException] = Fault) -> None:
        self.armed[hook], self.kind = times, kind

    def strikes(self, hook: str) -> bool:
        left = self.armed.get(hook, 0)
        if left:
            self.armed[hook] = left - 1
            self.raised[hook, self.kind] += 1
        return left > 0

    def raises(self, hook: str) -> None:
        if self.strikes(hook):
            raise self.kind(hook)


TROUBLE = Trouble()
"""Of the example that runs; forgotten by the next."""


class Basket:
    """A part of a context that is reused on its author's word."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        TROUBLE.raises("factory")
        self.items: list[Any] = []

    def empty(self) -> None:
        TROUBLE.raises("reset")
        self.items = []


class ChaosContext(RequestContext):
    number: int = 0
    text: str = ""
    mark: str | None = field(default=None, sensitive=True)
    roles: set[Any] = field(factory=set)
    grants: bytearray = field(factory=bytearray, sensitive=True)
    basket: Basket = field(factory=Basket, reset=Basket.empty)
    token: SecretField = secret(capacity=8)


class Tool:
    """Any other object. All are equal and none can be hashed: a pool has to tell them by identity."""

    __slots__ = ("items", "owner")
    __hash__: Any = None

    def __init__(self) -> None:
        TROUBLE.raises("factory")
        self.owner: Any = 0
        self.items: list[Any] = []

    def __eq__(self, other: object) -> bool:
        return True

    def reset(self) -> None:
        TROUBLE.raises("reset")
        self.owner, self.items = 0, []

    def valid(self) -> bool:
        TROUBLE.raises("validate")
        return not TROUBLE.strikes("invalid")


def slots(obj: object) -> dict[str, Any]:
    """Return what every slot of `obj` holds, by looking at its class alone."""
    found = {}
    for klass in type(obj).__mro__:
        for name, member in vars(klass).items():
            if isinstance(member, types.MemberDescriptorType):
                found[name] = member.__get__(obj)
    return found


def differences(arrived: object, new: object, carrier: object = None) -> Iterator[str]:
    """Yield in what `arrived` can be told from `new`, which nobody has used; it may belong to a request."""
    if type(arrived) is not type(new) or hasattr(arrived, "__dict__"):
        yield f"{type(arrived)} instead of {type(new)}"
        return
    ours, theirs = slots(arrived), slots(new)
    if carrier is not None:
        theirs["_carrier"], theirs["started_at"] = carrier, ours["started_at"]
    for name in ours.keys() | theirs.keys():
        if name != "_home" and not _alike(ours.get(name, "missing"), theirs.get(name, "missing")):
            yield f"{name} came as {ours.get(name, 'missing')!r}"


def _alike(ours: object, theirs: object) -> bool:
    if isinstance(theirs, Basket):
        return isinstance(ours, Basket) and ours is not theirs and ours.items == []
    if isinstance(theirs, dict | list | set | bytearray):
        return type(ours) is type(theirs) and ours == theirs
    return ours is theirs or (type(ours) is type(theirs) and ours == theirs)


PARTS = ("params", "roles", "basket", "grants", "token")
"""The parts of a context that somebody may keep."""


def content(part: Any) -> Any:
    """Return a copy of what a part holds, to see later whether it has changed."""
    match part:
        case dict() | set() | bytearray():
            return part.copy()
        case Basket():
            return part.items.copy()
    return None


def write_into(part: Any, value: object) -> None:
    """Change a part that somebody has kept."""
    match part:
        case dict():
            part["late"] = value
        case set():
            part.add(value)
        case Basket():
            part.items.append(value)
        case bytearray():
            part += b"late"
