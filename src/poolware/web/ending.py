"""The end of a response whose moment only somebody else knows: the server that closes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Ending:
    """Ends a request exactly once: when called, or at the latest when nobody can call it any more (H20)."""

    __slots__ = ("_carrier", "_finish", "_inner")

    def __init__(self, finish: Callable[[Any], None], carrier: Any, inner: Callable[[], object] | None) -> None:
        self._finish = finish
        self._carrier = carrier
        self._inner = inner

    def __call__(self) -> None:
        """Close what was inside, then finish the request, whatever the first raises."""
        inner, self._inner = self._inner, None
        try:
            if inner is not None:
                inner()
        finally:
            self._finish(self._carrier)

    def __del__(self) -> None:
        self()
