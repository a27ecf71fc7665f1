"""Who acquired and who released an object (debug mode)."""

from __future__ import annotations

import traceback
from pathlib import Path

_OWN = ("<poolware", str(Path(__file__).parents[1]))


class Traces:
    """The stacks at which objects were acquired, until their release."""

    def __init__(self) -> None:
        self._stacks: dict[int, str] = {}

    def acquired(self, obj: object) -> None:
        """Note the caller's stack."""
        self._stacks[id(obj)] = stack()

    def tell(self, obj: object) -> str:
        """Return the stack at which an object that is in use was acquired."""
        acquired = self._stacks.get(id(obj), "")
        return acquired and f"\nAcquired at:\n{acquired}"

    def released(self, obj: object) -> str:
        """Return both stacks as text, and forget the first."""
        acquired = self._stacks.pop(id(obj), "elsewhere\n")
        return f"\nAcquired at:\n{acquired}Released at:\n{stack()}"


def stack() -> str:
    """Return the caller's stack without poolware's own frames."""
    try:
        frames = [frame for frame in traceback.extract_stack() if not frame.filename.startswith(_OWN)]
    except Exception as error:  # of a loader that is asked for the source
        return f"not known: {error!r}\n"
    return "".join(traceback.format_list(frames))
