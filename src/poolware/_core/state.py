"""Looking into an object without running any code of its class."""

from __future__ import annotations

import types
from contextlib import suppress
from typing import Any

NOT_STATE = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.CodeType,
    types.FrameType,
)
"""What objects refer to without its being part of them."""


def attributes_of(obj: object) -> Any:
    """Return the object's ``__dict__``, or None."""
    try:
        return object.__getattribute__(obj, "__dict__")
    except AttributeError:
        return None


def state_of(obj: object) -> dict[str, Any]:
    """Return what the object's ``__dict__`` and its filled slots hold, by name."""
    state = dict(attributes_of(obj) or {}) if not isinstance(obj, type) else {}
    for cls in type(obj).__mro__:
        for name, member in vars(cls).items():
            if isinstance(member, types.MemberDescriptorType):
                with suppress(AttributeError):  # an empty slot
                    state.setdefault(name, member.__get__(obj))
    return state
