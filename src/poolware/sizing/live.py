"""Pool sizes from what running pools have seen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from poolware._core.options import whole_number
from poolware.errors import BadOption
from poolware.sizing.checks import number
from poolware.sizing.little import PoolSize, in_use, pool_size

__all__ = ["LivePool", "fetch", "parse"]

_PATIENCE_S = 10
_MOST_BYTES = 10 << 20


@dataclass(frozen=True, slots=True)
class LivePool:
    """One pool's statistics over a time in which it was used as usual.

    Raises:
        BadOption: a figure cannot be.
    """

    name: str
    in_use: int
    """Now."""
    peak: int
    """In use at once, at the most."""
    acquired: int
    hold_mean_s: float
    """Seconds from acquisition to release, on average."""
    observed_s: float
    """Seconds that all of this refers to."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            msg = f"name={self.name!r:.40}: it takes a text"
            raise BadOption(msg)
        for option in ("in_use", "peak", "acquired"):
            number(option, whole_number(option, getattr(self, option)))
        number("hold_mean_s", self.hold_mean_s)
        number("observed_s", self.observed_s, above=0)

    def size(self, *, idle: float = 0.5) -> PoolSize | None:
        """Return how large the pool should be, its own peak included; None if nothing was acquired."""
        rate = self.acquired / self.observed_s
        if not rate or not self.hold_mean_s:
            return None
        return pool_size(rate, self.hold_mean_s, peak=max(1.0, self.peak / in_use(rate, self.hold_mean_s)), idle=idle)


def fetch(url: str) -> list[LivePool]:
    """Return the pools that `url` serves, as `parse` takes them.

    Raises:
        BadOption: the address is none, does not answer with status 200 within 10 seconds, or with anything else.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        msg = f"{url!r}: it takes an address that begins with http:// or https://"
        raise BadOption(msg)
    try:
        with urlopen(url, timeout=_PATIENCE_S) as answer:  # noqa: S310 - the scheme is checked above
            return parse(answer.read(_MOST_BYTES))
    except (URLError, HTTPException, OSError, ValueError) as error:
        if isinstance(error, BadOption):
            raise
        msg = f"{url!r}: {error}; it takes the address of an application that is running and shows its pools"
        raise BadOption(msg) from error


def parse(text: str | bytes) -> list[LivePool]:
    """Return the pools in the ``data.json`` of the live page, or in JSON such as this; further keys are ignored.

        {"pools": [{"name": "db", "in_use": 3, "peak": 9, "acquired": 12000, "hold_mean_s": 0.02, "observed_s": 60.0}]}

    Of the live page those are taken whose hold times are counted, resource pools, each as in one process on average.

    Raises:
        BadOption: the text is anything else, or a figure cannot be.
    """
    try:
        document = json.loads(text)
        rows = document["pools"]
        if "schema" in document:
            return [_from_page(row) for row in _list(rows) if _holds(row)]
        return [LivePool(**{name: row[name] for name in LivePool.__slots__}) for row in _list(rows)]
    except BadOption:
        raise
    except KeyError as error:
        msg = f"{error.args[0]!r} is missing; it takes {_example()}"
        raise BadOption(msg) from error
    except (ValueError, TypeError, RecursionError) as error:
        msg = f"these are no pools; it takes {_example()}"
        raise BadOption(msg) from error


def _holds(row: Any) -> bool:
    """Whether a pool of the live page has been used while it was watched, and for how long is known."""
    return bool(row["figures"]["counters"].get("hold_total") and row["lately"]["seconds"])


def _from_page(row: Any) -> LivePool:
    figures, lately = row["figures"], row["lately"]
    gauges, counters, processes = figures["gauges"], figures["counters"], figures["processes"]
    return LivePool(
        name=row["pool"],
        in_use=round(gauges["in_use"] / processes),
        peak=gauges["peak_in_use"],
        acquired=round(lately["acquired"] / processes),
        hold_mean_s=counters["hold_total"] / counters["released"],
        observed_s=lately["seconds"],
    )


def _list(rows: Any) -> list[Any]:
    if not isinstance(rows, list):
        raise TypeError
    return rows


def _example() -> str:
    return 'JSON as {"pools": [{' + ", ".join(f'"{name}": …' for name in LivePool.__slots__) + "}]}"
