"""The load: one long-lived Locust process that reads a round a line (JSON) and answers each with a line.

Starting Locust takes longer than a round, hence one process for all rounds. Between rounds it waits in `readline`.
"""

import importlib
import json
import sys
import time
from typing import Any

# Before gevent and the rest: importing locust makes sockets and locks cooperative.
from locust.env import Environment  # isort: skip

import gevent.event
from hdrh.histogram import HdrHistogram

from loadtests import cores
from loadtests.latency import new_histogram

STOP_SECONDS = 10


class Recorder:
    """Takes down every response of a round; the first failure ends the round."""

    def __init__(self) -> None:
        self.histogram: HdrHistogram = new_histogram()
        self.requests = 0
        self.error: str | None = None
        self.failed = gevent.event.Event()

    def on_request(self, response_time: float, exception: Exception | None, **details: Any) -> None:
        """Record one response; `response_time` is in milliseconds."""
        self.requests += 1
        self.histogram.record_value(max(1, round(response_time * 1000)))
        if exception is not None:
            self.fail(f"{details['request_type']} {details['name']}: {exception}")

    def on_user_error(self, exception: Exception, **_: Any) -> None:
        """Record an error in the Locust file itself."""
        self.fail(repr(exception))

    def fail(self, error: str) -> None:
        """Keep the first error and end the round."""
        self.error = self.error or error
        self.failed.set()


def run_round(scenario: str, host: str, users: int, seconds: float) -> dict[str, Any]:
    """Load `host` for `seconds`; every request that was sent is awaited and counted."""
    user_class = getattr(importlib.import_module(f"loadtests.locustfiles.{scenario}"), scenario.capitalize())
    # A new environment each time, so that nothing has to be set back between rounds.
    environment = Environment(user_classes=[user_class], host=host, stop_timeout=STOP_SECONDS)
    recorder = Recorder()
    events: Any = environment.events
    events.request.add_listener(recorder.on_request)
    events.user_error.add_listener(recorder.on_user_error)
    runner = environment.create_local_runner()
    try:
        started = time.perf_counter()
        runner.start(users, spawn_rate=users)
        recorder.failed.wait(seconds)
        runner.stop()
        elapsed = time.perf_counter() - started
    finally:
        runner.quit()
    return {
        "requests": recorder.requests,
        "seconds": elapsed,
        "histogram": recorder.histogram.encode().decode(),
        "error": recorder.error,
    }


def main() -> None:
    """Answer rounds until standard input ends: `python -m loadtests.driver CORE`."""
    cores.pin(int(sys.argv[1]))
    # Whatever prints must not end up between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(run_round(**json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
