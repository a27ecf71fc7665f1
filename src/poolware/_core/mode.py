"""``POOLWARE_MODE``: whether released objects are used again."""

from __future__ import annotations

import os
from enum import Enum

from poolware.errors import BadOption


class Mode(Enum):
    """What becomes of an object after its release."""

    ON = "on"
    """It is reset and used again."""
    OFF = "off"
    """It is reset and dropped: the same API and the same wiping, no reuse."""
    DEBUG = "debug"
    """It is reset, dropped and poisoned; any later use names who acquired and who released it."""


def current_mode() -> Mode:
    """Read the mode from the environment variable ``POOLWARE_MODE`` (default ``on``).

    Raises:
        BadOption: the variable holds anything but ``on``, ``off`` or ``debug``.
    """
    value = os.environ.get("POOLWARE_MODE", "on")
    try:
        return Mode(value.strip().lower())
    except ValueError:
        msg = f"POOLWARE_MODE={value!r}: it takes 'on', 'off' or 'debug'"
        raise BadOption(msg) from None
