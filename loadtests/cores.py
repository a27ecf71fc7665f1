"""Keeping server and driver on different cores."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Cores:
    """The core of the servers and that of the driver; None where the system cannot pin."""

    server: int | None
    driver: int | None

    @property
    def note(self) -> str | None:
        """What a reader has to know where the two could not be kept apart, else None."""
        if self.server is None:
            return "this system cannot pin processes: server and driver may have shared a core"
        if self.server == self.driver:
            return "only one core: server and driver shared it, so requests/s and latencies say little"
        return None


def choose() -> Cores:
    """Return the first two cores that this process may use."""
    if not hasattr(os, "sched_getaffinity"):
        return Cores(None, None)
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[min(1, len(allowed) - 1)])


def pin(core: int) -> None:
    """Keep this process, and every thread that it starts later, on `core`; a negative number leaves it alone."""
    if core >= 0:
        os.sched_setaffinity(0, {core})
