"""Which twin of the hot path this process uses: the compiled one, or the same in plain Python."""

from __future__ import annotations

import os
from types import ModuleType
from typing import TYPE_CHECKING, Any

from poolware.errors import BadOption, ConfigurationError

VARIABLE = "POOLWARE_CORE"


def _load() -> ModuleType | None:
    wanted = os.environ.get(VARIABLE, "").strip().lower()
    if wanted not in {"", "python", "compiled"}:
        msg = f"{VARIABLE}={wanted!r}: it takes 'compiled' or 'python', or nothing for whichever there is"
        raise BadOption(msg)
    if wanted == "python":
        return None
    try:
        from poolware._core import compiled  # noqa: PLC0415 - it may not exist
    except ImportError as error:
        if wanted == "compiled":
            msg = f"{VARIABLE}=compiled: there is none here ({error}); install poolware where there is a C compiler"
            raise ConfigurationError(msg) from error
        return None
    return compiled


compiled: Any = _load()
"""The compiled twin; None where it was not built, or is not wanted."""
CORE = "python" if compiled is None else "compiled"

if TYPE_CHECKING:

    class Recyclable:
        """The base of every context."""

else:
    Recyclable = object if compiled is None else compiled.Recyclable
