"""Checks of the numbers that the formulas take."""

from __future__ import annotations

import math

from poolware.errors import BadOption

_ROUNDING = 1e-9


def number(
    option: str, value: object, *, above: float | None = None, low: float = 0.0, high: float = math.inf
) -> float:
    """Return `value` if it is a finite number within the bounds, else raise `BadOption`."""
    if isinstance(value, int | float) and type(value) is not bool and _finite(value):
        fits = low <= value <= high and (above is None or value > above)
        if fits:
            return float(value)
    bounds = f"above {above:g}" if above is not None else f"of at least {low:g}"
    if high < math.inf:
        bounds += f" and at most {high:g}"
    msg = f"{option}={value!r}: it takes a number {bounds}"
    raise BadOption(msg)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of more digits than a float has
        return False


def up(value: float) -> int:
    """Return the next whole number, for 10.000000000000002 as for 10: the digits of 0.05 are not exact."""
    return math.ceil(value - value * _ROUNDING)
