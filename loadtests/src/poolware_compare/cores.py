"""Keeping servers and driver on different cores."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Cores:
    """The cores of the servers and those of the driver; empty where the system cannot pin."""

    server: list[int]
    driver: list[int]

    @property
    def note(self) -> str | None:
        """What a reader has to know where the two could not be kept apart, else None."""
        if not self.server:
            return "this system cannot pin processes: server and driver may have shared a core"
        if self.server == self.driver:
            return "only one core: server and driver shared it, so requests/s and latencies say little"
        return None


def choose(workers: int = 1) -> Cores:
    """Return a core for each of the server's workers, as far as there are, and the others for the driver."""
    if not hasattr(os, "sched_getaffinity"):
        return Cores([], [])
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) == 1:
        return Cores(allowed, allowed)
    count = min(workers, len(allowed) - 1)
    return Cores(allowed[:count], allowed[count:])
