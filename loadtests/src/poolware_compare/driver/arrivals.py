"""Arrivals at a constant rate, and latency without coordinated omission.

A closed loop stops asking while the server is slow, and so never sees how long those would have waited whom it did not
let ask (Tene, "How NOT to measure latency", 2013). Here each request has a time at which it should leave. If nobody is
free then, it leaves later, and its latency counts from when it should have left.
"""

import time
from collections.abc import Callable
from typing import Any

from gevent.local import local

LATE_S = 0.001
"""Timers are no better than that."""


class Schedule:
    """When requests should leave: at `rate` a second, times what the shape asks for at that moment."""

    def __init__(self, rate: float, share: Callable[[float], float], seconds: float) -> None:
        self.rate = rate
        self.share = share
        self.seconds = seconds
        self.started: float | None = None
        self.next: float = 0.0
        self.late: int = 0
        self._meant = local()

    def wait(self, _user: Any = None) -> float:
        """Take the next free time; return how long it is until then. Locust calls it as a `wait_time`."""
        now = time.time()
        if self.started is None:
            # Not when it was made: to get the users ready takes longer than some requests.
            self.started = self.next = now
        meant = self.next
        # Whoever waits has taken its time before: one that has passed had nobody to take it.
        self.late += now - meant > LATE_S
        share = self.share(min(1.0, (meant - self.started) / self.seconds))
        self.next = meant + 1 / (self.rate * max(share, 0.01))
        self._meant.time = meant
        return max(0.0, meant - now)

    def delay(self, started: float) -> float:
        """Return how many seconds late the request of this user left; only the first after each wait is late."""
        meant = getattr(self._meant, "time", None)
        if meant is None:
            return 0.0
        self._meant.time = None
        return float(max(0.0, started - meant))


def paced(user_class: Any, schedule: Schedule) -> type:
    """Return a user class that asks when the schedule says so."""

    def on_start(self: Any) -> None:
        user_class.on_start(self)
        self.wait()  # Locust's own, so that a round can end meanwhile

    return type(user_class.__name__, (user_class,), {"on_start": on_start, "wait_time": schedule.wait})
