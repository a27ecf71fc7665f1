"""The end of a response whose moment only somebody else knows: the server that closes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Ending:
    """Ends a request exactly once: when called, or at the latest when nobody can call it any more (H20)."""

    __slots__ = ("_carrier", "_finish", "_inner")

    def __init__(self, finish: Callable[[Any], None], carrier: Any, inner: Callable[[], object] | None = None) -> None:
        self._finish = finish
        self._carrier: Any = carrier
        self._inner = inner

    def __call__(self) -> None:
        """Close what was inside, then finish the request, whatever the first raises."""
        inner, self._inner = self._inner, None
        carrier, self._carrier = self._carrier, None  # may carry the next request by the time this is collected
        try:
            if inner is not None:
                inner()
        finally:
            if carrier is not None:
                self._finish(carrier)

    def __del__(self) -> None:
        if self._carrier is not None:
            self()

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        """A copy or pickle of a response has nothing to end."""
        return _ended, ()


def _ended() -> Callable[[], None]:
    return _nothing


def _nothing() -> None:
    """The end of a request that had none."""
