"""``request.ctx``: the attribute that frameworks' request objects get."""

from __future__ import annotations

from typing import Any

from poolware._core.log import logger
from poolware.context.carrier import KEY, carrier_of, missing

_ABSENT = object()
__all__ = ["install"]


class ContextAttribute:
    """Reads the context that the request carries. Not a data descriptor: an instance's own attribute goes first."""

    __slots__ = ()

    def __get__(self, request: Any, _owner: type | None = None) -> Any:
        """Return the context; raises `ContextMissing` if the request carries none."""
        if request is None:
            return self
        carrier = carrier_of(request)
        ctx = carrier.get(KEY)
        if ctx is None:
            raise missing(carrier)
        return ctx


def install(request_class: type) -> None:
    """Give `request_class` the attribute ``ctx``. One that it has already stays, and is reported."""
    present = getattr(request_class, "ctx", _ABSENT)
    if present is _ABSENT:
        request_class.ctx = ContextAttribute()  # type: ignore[attr-defined]
    elif not isinstance(present, ContextAttribute):
        logger.warning(
            "%s has an attribute ctx of its own, which stays; reach the context with YourContext.of(request)",
            request_class.__qualname__,
        )
