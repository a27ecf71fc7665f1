"""Takes down every response of a round."""

from collections.abc import Callable
from typing import Any

import gevent.event

from poolware_compare.driver.arrivals import Schedule
from poolware_compare.latency import LONGEST_US, new_histogram


class Recorder:
    """Counts responses and keeps their latencies; the first failure ends the round."""

    def __init__(self, schedule: Schedule | None, told: Callable[[str], object] = lambda _: None) -> None:
        self.histogram: Any = new_histogram()
        self.requests: int = 0
        self.error: str | None = None
        self.failed: Any = gevent.event.Event()
        self.answered: Any = gevent.event.Event()
        self._schedule = schedule
        self._told = told

    def listen(self, events: Any) -> None:
        """Take down what these events tell."""
        events.request.add_listener(self.on_request)
        events.user_error.add_listener(self.on_user_error)

    def leave(self, events: Any) -> None:
        """Take down no more."""
        events.request.remove_listener(self.on_request)
        events.user_error.remove_listener(self.on_user_error)

    def on_request(self, response_time: float, exception: Exception | None, **details: Any) -> None:
        """Record one response; `response_time` is in milliseconds."""
        self.requests += 1
        self.answered.set()
        microseconds = response_time * 1000
        if self._schedule is not None:
            microseconds += self._schedule.delay(details["start_time"]) * 1e6
        self.histogram.record_value(min(LONGEST_US, max(1, round(microseconds))))
        if exception is not None:
            self.fail(f"{details['request_type']} {details['name']}: {exception}")

    def on_user_error(self, exception: Exception, **_: Any) -> None:
        """Record an error in the Locust file itself."""
        self.fail(repr(exception))

    def fail(self, error: str) -> None:
        """Keep the first error and end the round."""
        if self.error is None:
            self.error = error
            self._told(error)
        self.failed.set()
        self.answered.set()

    def report(self) -> dict[str, Any]:
        """Return everything so far, as JSON knows it."""
        return {
            "requests": self.requests,
            "histogram": self.histogram.encode().decode(),
            "error": self.error,
            "late": self._schedule.late if self._schedule else 0,
        }
