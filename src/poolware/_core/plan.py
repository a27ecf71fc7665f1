"""What the hot path needs to know about a context class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ValueSlot:
    """Rests at its immutable default."""

    name: str
    default: object
    sensitive: bool
    overwrite: bool = False
    """Whether a str or bytes that only the slot holds is filled with zeros."""


@dataclass(frozen=True, slots=True)
class RebuiltSlot:
    """Rests empty; every request gets a new object from `factory`."""

    name: str
    factory: Callable[[], Any]
    sensitive: bool


@dataclass(frozen=True, slots=True)
class VouchedSlot:
    """Keeps its object, reset by the user's function, while nobody else holds it."""

    name: str
    factory: Callable[[], Any]
    reset: Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class SecretSlot:
    """Rests empty; holds a Secret once one was set."""

    name: str


Slot = ValueSlot | RebuiltSlot | VouchedSlot | SecretSlot


@dataclass(frozen=True, slots=True)
class Plan:
    """How objects of one context class are built, reset, checked and sealed.

    `slots` has every slot of the class in the order of resetting, sensitive ones first; `members` their descriptors,
    which reach into a sealed object too.
    """

    cls: Any
    sealed: type
    slots: tuple[Slot, ...]
    members: dict[str, Any]
    give_back: Callable[[Any], None]
    """Return what the context borrowed; never raises."""
    label: Callable[[Any], str]
    """Name the request that the context serves, for messages after its end."""


def set_class(obj: object, cls: type) -> None:
    """Change an object's class, whatever its own ``__setattr__`` says."""
    _set_class(obj, cls)


_set_class: Callable[[object, type], None] = object.__dict__["__class__"].__set__
