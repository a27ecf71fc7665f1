"""What users hand an object pool: called so that whatever it does, a request gets an object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from poolware._core.cycle import Maker
from poolware._core.log import logger
from poolware._core.tally import Tally

__all__ = ["Hooks"]

T = TypeVar("T")


class Hooks:
    """Calls a pool's `reset` and `validate`, and the resets of vouched fields; logs and counts what they raise."""

    def __init__(self, name: str, tallies: Mapping[str, Tally]) -> None:
        self._name = name
        self._tallies = tallies

    def restoring(self, reset: Callable[[T], object]) -> Callable[[T], bool]:
        """Return a reset that says whether the object is as good as new."""

        def restore(obj: T) -> bool:
            try:
                reset(obj)
            except BaseException as error:
                self._tallies["reset_errors"].tick()
                if not isinstance(error, Exception):
                    raise
                logger.exception("pool %r: reset failed; the object is discarded", self._name)
                return False
            return True

        return restore

    def validating(self, validate: Callable[[T], object]) -> Callable[[T], bool]:
        """Return a validation that says no where `validate` raises."""

        def valid(obj: T) -> bool:
            try:
                if validate(obj):
                    return True
            except Exception:
                logger.exception("pool %r: validate failed; the object is discarded", self._name)
            except BaseException:
                self._tallies["validation_failures"].tick()
                raise
            self._tallies["validation_failures"].tick()
            return False

        return valid

    def keep_part(self, sole: int, part: Any, maker: Maker, reset: Callable[[Any], object]) -> Any:
        """Reset the part of a vouched field; None, so that it is rebuilt, where it is held, replaced or fails."""
        if not sole or type(part) is not maker.made:
            return None
        try:
            reset(part)
        except Exception:
            logger.exception("pool %r: a field's reset failed; the field is rebuilt", self._name)
            self._tallies["reset_errors"].tick()
            return None
        return part
