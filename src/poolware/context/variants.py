"""The two other faces of a context class: sealed, after its request, and detached, a copy of its own.

Both are subclasses without slots, so that an object can change its class in place.
"""

from __future__ import annotations

import copy
from typing import Any

from poolware._core.sealed import sealed_namespace
from poolware.errors import ContextReleased

_ADVICE = (
    "Take what you need before the response ends; ctx.detach() makes a copy for work that outlives it, "
    "such as background threads and tasks"
)


def sealed_of(name: str) -> dict[str, Any]:
    """Return the methods of a sealed context: every use raises `ContextReleased`."""
    return sealed_namespace(name, _label, ContextReleased, _ADVICE)


def _label(sealed: Any) -> str:
    label = object.__getattribute__(sealed, "_carrier")
    if not isinstance(label, str) or not label:
        return "to its pool"
    return f"to its pool{label}" if label.startswith("\n") else f"after {label}"


def detached_namespace(name: str) -> dict[str, Any]:
    """Return the methods of a detached copy: it can be copied and pickled."""

    def reduce(self: Any, _protocol: object) -> tuple[Any, ...]:
        parent: Any = type(self).__mro__[2]
        names = (*parent.__poolware_open__, *parent._also_settable)
        return rebuild_detached, (parent, {name: getattr(self, name) for name in names})

    def describe(self: Any) -> str:
        return f"{super(type(self), self).__repr__()[:-1]} detached>"

    return {"__slots__": (), "__reduce_ex__": reduce, "__repr__": describe, "__qualname__": name}


def rebuild_detached(parent: Any, values: dict[str, Any]) -> Any:
    """Return a detached copy of class `parent` with these field values."""
    detached = parent.__poolware_detached__
    obj = detached.__new__(detached)
    parent.__init__(obj, **values)
    return obj


def copy_for_detached(value: Any, *, vouched: bool) -> Any:
    """Copy what the context will empty or reset; everything else is dropped by it and can be shared."""
    if vouched:
        return copy.deepcopy(value)
    return copy.copy(value) if issubclass(type(value), (dict, list, set, bytearray)) else value
