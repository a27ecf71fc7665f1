"""Saying once a process that nothing is reused, and why."""

from __future__ import annotations

from poolware._core.log import logger
from poolware._core.mode import Mode, current_mode
from poolware._core.proof import REUSE_REFUSED

_announced = False


def announced_mode() -> Mode:
    """Return the mode for a new pool; the first one says when nothing is reused."""
    global _announced  # noqa: PLW0603 - once a process
    mode = current_mode()
    if not _announced:
        _announced = True
        if REUSE_REFUSED is not None:
            logger.warning("nothing is reused: %s", REUSE_REFUSED)
        elif mode is not Mode.ON:
            logger.info("nothing is reused: POOLWARE_MODE=%s", mode.value)
    return mode
