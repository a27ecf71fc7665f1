"""Checks of configuration values, with messages that name the option and what it takes."""

from __future__ import annotations

import math
from collections.abc import Iterable

from poolware.errors import BadOption, UnknownOption


def whole_number(option: str, value: object, *, at_least: int = 0) -> int:
    """Return `value` if it is a whole number of at least `at_least`, else raise `BadOption`."""
    if type(value) is not int or value < at_least:
        msg = f"{option}={value!r}: it takes a whole number of at least {at_least}"
        raise BadOption(msg)
    return value


def positive_or_none(option: str, value: object) -> float | None:
    """Return `value` if it is None or a finite number above 0, else raise `BadOption`."""
    if value is None or (isinstance(value, int | float) and type(value) is not bool and 0 < value < math.inf):
        return value
    msg = f"{option}={value!r}: it takes a number above 0, or None"
    raise BadOption(msg)


def seconds_or_none(option: str, value: object) -> float | None:
    """Return `value` if it is None or a finite number of at least 0, else raise `BadOption`."""
    return 0 if type(value) in {int, float} and value == 0 else positive_or_none(option, value)


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
