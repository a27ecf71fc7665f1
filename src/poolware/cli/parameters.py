"""What the options of several commands take."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TypeVar

import click

from poolware.errors import ConfigurationError, ImportPathError, PoolwareError
from poolware.sizing.targets import load, load_function

__all__ = ["APP", "BYTES", "FUNCTION", "HEADER", "TARGET", "Number", "as_json", "driven"]

_UNITS = {"": 1, "b": 1, "kib": 1 << 10, "kb": 1000, "mib": 1 << 20, "mb": 1000**2, "gib": 1 << 30, "gb": 1000**3}

F = TypeVar("F", bound=Callable[..., Any])


def as_json(command: F) -> F:
    """Add the option ``--json``."""
    return click.option("--json", "json_", is_flag=True, help="Print JSON, for other programs.")(command)


class Number(click.ParamType[float]):
    """A finite number within bounds."""

    name = "number"

    def __init__(self, low: float = 0.0, high: float = math.inf, *, above: float | None = None) -> None:
        self._low, self._high, self._above = low, high, above

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        fits = math.isfinite(number) and self._low <= number <= self._high
        if not fits or (self._above is not None and number <= self._above):
            bounds = f"above {self._above:g}" if self._above is not None else f"of at least {self._low:g}"
            bounds += f" and at most {self._high:g}" if self._high < math.inf else ""
            self.fail(f"{value!r}: it takes a number {bounds}", param, ctx)
        return number


class _Bytes(click.ParamType[int]):
    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", value.strip().lower())
        if match is None or match[2] not in _UNITS or len(match[1]) > 15:  # noqa: PLR2004 - a petabyte
            self.fail(f"{value!r}: it takes a size such as 4096, 64KiB or 4MiB", param, ctx)
        return int(float(match[1]) * _UNITS[match[2]])


class _Loaded(click.ParamType[tuple[str, Any]]):
    """An import path together with what it leads to."""

    def __init__(self, name: str, loads: Any) -> None:
        self.name = name
        self._loads = loads

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        try:
            with redirect_stdout(sys.stderr):  # a module that prints when it is imported
                return value, self._loads(value)
        except ConfigurationError as error:
            self.fail(str(error), param, ctx)


class _Header(click.ParamType[tuple[str, str]]):
    name = "name: value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        name, colon, text = value.partition(":")
        if not (colon and name.strip() and value.isascii() and value.isprintable()):
            self.fail(f"{value!r}: it takes a header such as 'Authorization: Bearer one'", param, ctx)
        return name.strip(), text.strip()


def _app(path: str) -> Any:
    found = load(path)
    if not callable(found):
        msg = f"{path!r} is a {type(found).__name__}; it takes a WSGI or ASGI application"
        raise ImportPathError(msg)
    return found


@contextmanager
def driven(path: str) -> Iterator[None]:
    """Turn an application's failure to start, or to go on, into a usage error."""
    try:
        yield
    except (AssertionError, KeyboardInterrupt, PoolwareError):
        raise
    except BaseException as error:
        msg = f"{path!r}: {str(error) or 'it ended the process'}; it takes an application that starts and goes on"
        raise click.UsageError(msg) from error


APP = _Loaded("module:app", _app)
BYTES = _Bytes()
TARGET = _Loaded("module:name", load)
FUNCTION = _Loaded("module:function", load_function)
HEADER = _Header()
