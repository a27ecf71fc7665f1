"""Objects that know nothing of pools, made unusable at their release (debug mode)."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from poolware._core.plan import set_class
from poolware._core.sealed import sealed_namespace
from poolware.errors import ObjectReleased

_SPARED = {
    *("__class__", "__class_getitem__", "__del__", "__dict__", "__doc__", "__format__", "__getattribute__", "__init__"),
    *("__init_subclass__", "__module__", "__new__", "__repr__", "__slots__", "__str__", "__subclasshook__"),
}
"""What Python itself asks of an object that is merely being dropped or looked at."""


def poison(obj: Any, history: str) -> None:
    """Make every use of `obj` raise `ObjectReleased` with `history`. Leaves alone what cannot change its class."""
    cls = type(obj)
    if type(cls) not in {type, ABCMeta} or any("__init_subclass__" in vars(base) for base in cls.__mro__[:-1]):
        return  # either may keep a register, in which a poisoned class has no place
    namespace = sealed_namespace(cls.__name__, lambda _obj: "to its pool" + history, ObjectReleased, "Acquire another")
    special = {name for name in dir(cls) if name.startswith("__") and name.endswith("__")} - _SPARED
    namespace |= {name: namespace["__setattr__"] for name in special if callable(getattr(cls, name, None))}
    if "__del__" in dir(cls):
        namespace["__del__"] = _end_as_itself(cls)
    make: Any = type(cls)
    with suppress(Exception):  # of a built-in type, or one that cannot be derived from
        set_class(obj, make(f"Released{cls.__name__}", (cls,), namespace))


def _end_as_itself(cls: type) -> Callable[[Any], None]:
    def end(self: Any) -> None:
        set_class(self, cls)
        self.__del__()

    return end
