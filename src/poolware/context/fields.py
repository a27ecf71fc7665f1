"""field() and secret(): what a field is and how it resets."""

from __future__ import annotations

import datetime
import decimal
import fractions
import functools
import ipaddress
import pathlib
import re
import types
import uuid
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar, get_origin, overload

from poolware._core.options import whole_number
from poolware._core.plan import RebuiltSlot, SecretSlot, Slot, ValueSlot, VouchedSlot
from poolware.errors import DefinitionError, MutableDefault

__all__ = ["FieldDescription", "field", "secret"]

T = TypeVar("T")

UNSET: Any = object()
SECRET_PREFIX = "_secret__"  # noqa: S105 - the slot behind a secret field, whose own name holds a descriptor

_EMPTIED = (dict, list, set, bytearray)
_IMMUTABLE = (
    *(type(None), bool, int, float, complex, str, bytes, range, type(...), type(NotImplemented), type, re.Pattern),
    *(datetime.date, datetime.time, datetime.datetime, datetime.timedelta, datetime.timezone, zoneinfo.ZoneInfo),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID, pathlib.PurePath),
    *(ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network),
    types.FunctionType,
)


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """One row of ``Context.describe()``."""

    name: str
    type: str
    default: str
    resets: str
    """``default``, ``emptied``, ``rebuilt``, ``reset by …`` or ``wiped``."""
    sensitive: bool
    vouched: bool
    """The object is reused on the word of the class's author, through ``reset=``."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What `field` or `secret` was called with."""

    default: object = UNSET
    factory: Callable[[], Any] | None = None
    reset: Callable[[Any], object] | None = None
    sensitive: bool = False
    overwrite: bool = False
    capacity: int = 0
    """Bytes; more than 0 for a secret."""

    def slot(self, name: str) -> Slot:
        """Return how the slot of a field called `name` is treated."""
        if self.capacity:
            return SecretSlot(SECRET_PREFIX + name)
        if self.factory is None:
            return ValueSlot(name, self.default, self.sensitive, self.overwrite)
        if self.reset is None:
            return RebuiltSlot(name, self.factory, self.sensitive)
        return VouchedSlot(name, self.factory, self.reset)

    def describe(self, name: str, annotation: str) -> FieldDescription:
        """Return the field's row of ``Context.describe()``."""
        if self.capacity:
            default, resets = "empty", "wiped"
        elif self.factory is None:
            default, resets = "…" if self.sensitive and self.default else repr(self.default), "default"
        else:
            default = f"{_name(self.factory)}()"
            resets = "emptied" if self.factory in _EMPTIED else "rebuilt"
            if self.reset is not None:
                resets = f"reset by {_name(self.reset)}"
        sensitive = self.sensitive or self.capacity > 0
        return FieldDescription(name, annotation, default, resets, sensitive, vouched=self.reset is not None)


@overload
def field(*, default: T, sensitive: bool = False, overwrite: bool = False) -> T: ...
@overload
def field(*, factory: Callable[[], T], reset: Callable[[T], object] | None = None, sensitive: bool = False) -> T: ...
def field(
    *,
    default: Any = UNSET,
    factory: Callable[[], Any] | None = None,
    reset: Callable[[Any], object] | None = None,
    sensitive: bool = False,
    overwrite: bool = False,
) -> Any:
    """Declare a field of a context, where a plain default does not say enough.

        roles: set[str] = field(factory=set)
        email: str | None = field(default=None, sensitive=True)
        cart: Cart = field(factory=Cart, reset=Cart.clear)

    Args:
        default: an immutable value.
        factory: builds the value of each request; a dict, list or set comes empty. ``set[str]`` is taken for ``set``.
        reset: makes the factory's object as good as new, so that it is kept and used again, on your word. Without it a
            new one is built for each request.
        sensitive: reset first, hidden in every repr and report, left out of ``detach()``.
        overwrite: beside `sensitive`: fill a ``str`` or ``bytes`` with zeros at the end of the request, if nobody but
            the field holds it then. The compiled core does; in plain Python, and where somebody else holds the value,
            it is left to Python's memory. A `Secret` is wiped in any case.

    Raises:
        DefinitionError: neither or both of `default` and `factory` are given, `reset` without `factory`, or `overwrite`
            without `sensitive` and `default`.
    """
    if (default is UNSET) == (factory is None):
        msg = "field() takes either default= (immutable) or factory= (a function without arguments)"
        raise DefinitionError(msg)
    if factory is not None and not callable(factory):
        msg = f"field(factory={factory!r}): it takes a function without arguments, such as dict or Cart"
        raise DefinitionError(msg)
    if reset is not None and (factory is None or not callable(reset)):
        msg = "field(reset=…) takes a function of one argument, beside factory="
        raise DefinitionError(msg)
    if reset is not None and sensitive:
        msg = "field(sensitive=True, reset=…): a sensitive object is never kept; leave out reset= to have it rebuilt"
        raise DefinitionError(msg)
    if overwrite and (factory is not None or not sensitive):
        msg = "field(overwrite=True) is for a str or bytes: it takes default= and sensitive=True beside it"
        raise DefinitionError(msg)
    if get_origin(factory) in _EMPTIED:  # set[str] for set
        factory = get_origin(factory)
    return FieldSpec(default, factory, reset, sensitive, overwrite)


def secret(*, capacity: int = 64) -> Any:
    """Declare a field that holds a `Secret`; annotate it with `SecretField`.

        token: SecretField = secret()

    Args:
        capacity: bytes that fit before the value moves to larger memory.

    Raises:
        BadOption: `capacity` is not a whole number of at least 1.
    """
    return FieldSpec(capacity=whole_number("capacity", capacity, at_least=1))


def check_immutable(where: str, name: str, value: object) -> None:
    """Raise `MutableDefault` if `value` could be changed by one request and seen by another (H03)."""
    if not is_immutable(value):
        factory = type(value).__name__
        msg = (
            f"{where}.{name} has a mutable default, which all requests would share: {type(value).__name__}. "
            f"Write {name}: … = field(factory={factory})"
        )
        raise MutableDefault(msg)


def is_immutable(value: object) -> bool:
    """Whether nothing that is reachable from `value` can be changed."""
    if isinstance(value, Enum):
        return True
    if isinstance(value, tuple | frozenset):
        return not hasattr(value, "__dict__") and all(map(is_immutable, value))
    if is_dataclass(value) and not isinstance(value, type):
        frozen = value.__dataclass_params__.frozen  # type: ignore[attr-defined]
        members = (member for cls in type(value).__mro__ for member in vars(cls).values())
        cached = any(isinstance(member, functools.cached_property) for member in members)
        return frozen and not cached and all(is_immutable(getattr(value, f.name)) for f in fields(value))
    if isinstance(value, types.BuiltinFunctionType):  # len, but not [].append
        return isinstance(value.__self__, types.ModuleType | None)
    return isinstance(value, type) or type(value) in _IMMUTABLE or isinstance(value, pathlib.PurePath)


def _name(function: Any) -> str:
    return getattr(function, "__qualname__", repr(function))
