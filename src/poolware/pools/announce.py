"""Saying once a process what nobody would notice otherwise: that nothing is reused, and why; that the core is plain."""

from __future__ import annotations

import io
import os

from poolware._core.core import CORE, VARIABLE
from poolware._core.log import logger
from poolware._core.mode import Mode, current_mode
from poolware._core.proof import REUSE_REFUSED

_announced = False
_CLOSED_FOR_NOTHING = (io.BytesIO, io.StringIO)
"""Have a ``close`` that there is no need to call."""


def announced_mode() -> Mode:
    """Return the mode for a new pool; the first one says what is not as it should be."""
    global _announced  # noqa: PLW0603 - once a process
    mode = current_mode()
    if not _announced:
        _announced = True
        if CORE == "python" and VARIABLE not in os.environ:
            logger.info("the core is plain Python: the compiled one was not built here")
        if REUSE_REFUSED is not None:
            logger.warning("nothing is reused: %s", REUSE_REFUSED)
        elif mode is not Mode.ON:
            logger.info("nothing is reused: POOLWARE_MODE=%s", mode.value)
    return mode


def warn_of_closable(pool: str, obj: object) -> None:
    """Say that `obj`, the first that a pool which never closes anything has made, is to be closed."""
    if callable(getattr(type(obj), "close", None)) and not isinstance(obj, _CLOSED_FOR_NOTHING):
        kind = type(obj).__qualname__
        logger.warning("pool %r: %s has close(), which an ObjectPool never calls; use a ResourcePool", pool, kind)
