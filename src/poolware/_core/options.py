"""Checks of configuration values, with messages that name the option and what it takes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeGuard, TypeVar

from poolware.errors import BadOption, UnknownOption

T = TypeVar("T")


def whole_number(option: str, value: object, *, at_least: int = 0) -> int:
    """Return `value` if it is a whole number of at least `at_least`, else raise `BadOption`."""
    if type(value) is not int or value < at_least:
        msg = f"{option}={value!r}: it takes a whole number of at least {at_least}"
        raise BadOption(msg)
    return value


def share(option: str, value: object) -> float:
    """Return `value` if it is a number between 0 and 1, else raise `BadOption`."""
    if not _is_number(value) or not 0 < value < 1:
        msg = f"{option}={value!r}: it takes a number between 0 and 1, without these two"
        raise BadOption(msg)
    return value


def positive_or_none(option: str, value: object) -> float | None:
    """Return `value` if it is None or a finite number above 0, else raise `BadOption`."""
    if value is None or (_is_number(value) and 0 < value < math.inf):
        return value
    msg = f"{option}={value!r}: it takes a number above 0, or None"
    raise BadOption(msg)


def positive(option: str, value: object) -> float:
    """Return `value` if it is a finite number above 0, else raise `BadOption`."""
    if not _is_number(value) or not 0 < value < math.inf:
        msg = f"{option}={value!r}: it takes a number above 0"
        raise BadOption(msg)
    return value


def not_negative(option: str, value: object) -> float:
    """Return `value` if it is a finite number of at least 0, else raise `BadOption`."""
    if not _is_number(value) or not 0 <= value < math.inf:
        msg = f"{option}={value!r}: it takes a number of at least 0"
        raise BadOption(msg)
    return value


def not_negative_or_none(option: str, value: object) -> float | None:
    """Return `value` if it is None or a finite number of at least 0, else raise `BadOption`."""
    return None if value is None else not_negative(option, value)


def callable_or_none(option: str, value: object) -> None:
    """Raise `BadOption` unless `value` is None or can be called."""
    if value is not None and not callable(value):
        msg = f"{option}={value!r}: it takes a function of one argument, or None"
        raise BadOption(msg)


def known_options(owner: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise `UnknownOption` for the first name in `given` that is not in `known`."""
    known = sorted(known)
    for name in given:
        if name not in known:
            msg = f"{owner} has no option {name!r}; it takes {', '.join(known)}"
            raise UnknownOption(msg)


def flag(option: str, value: object) -> bool:
    """Return `value` if it is True or False, else raise `BadOption`."""
    if type(value) is not bool:
        msg = f"{option}={value!r}: it takes True or False"
        raise BadOption(msg)
    return value


def one_of(option: str, value: T, *choices: T) -> T:
    """Return `value` if it is one of `choices`, else raise `BadOption`."""
    if value not in choices:
        msg = f"{option}={value!r}: it takes {', '.join(map(repr, choices))}"
        raise BadOption(msg)
    return value


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
