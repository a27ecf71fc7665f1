"""What a pool keeps of each of its resources."""

from __future__ import annotations

import math
from typing import Any


class Record:
    """One resource and its history. Times are seconds of `time.monotonic`.

    It is in exactly one place: resting, lent, or in the hands of a hook.
    """

    __slots__ = (
        "__weakref__",
        "checked",
        "end",
        "expires",
        "loop",
        "made",
        "obj",
        "rank",
        "reported",
        "since",
        "stack",
        "waiter",
    )

    def __init__(self, obj: Any, loop: Any, made: float, expires: float) -> None:
        self.obj: Any = obj
        self.loop: Any = loop
        """The event loop that it belongs to; None for one that can be used anywhere."""
        self.made: float = made
        self.expires: float = expires
        self.since: float = made
        """Since when it is in use, or rests."""
        self.checked: float = made
        """When it was last known to work."""
        self.end: str = ""
        """Why it is not to be used again, however well it works: it expires at once then."""
        self.rank: int = 0
        """The class for which it is in use."""
        self.waiter: Any = None
        """Who is about to get it; nobody but this record holds the resource then."""
        self.reported: float = -math.inf
        """The `since` of the use of which it was logged that it takes too long."""
        self.stack: str = ""
        """Where it was acquired, if that is noted."""
