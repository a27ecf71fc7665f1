"""One of Locust's workers: `python -m poolware_compare.driver.worker HOST PORT`."""

import sys
import time
from typing import Any

from locust.env import Environment  # isort: skip - before the rest: it makes sockets cooperative

from poolware_compare.driver.order import Order
from poolware_compare.driver.recorder import Recorder
from poolware_compare.driver.shaping import schedule_of
from poolware_compare.driver.users import UnusableLocustFile, hear, users_of


class Worker:
    """Prepares itself for each round as the master says."""

    def __init__(self, host: str, port: int) -> None:
        self.environment: Any = Environment(user_classes=[])
        self.recorder: Recorder | None = None
        self.order: Order | None = None
        self.processes: int = 1
        self.started: float = 0.0
        self.elapsed: float | None = None
        self.environment.events.test_start.add_listener(self._on_start)
        self.environment.events.test_stop.add_listener(self._on_stop)
        self.environment.events.report_to_master.add_listener(self._on_report)
        self.runner: Any = self.environment.create_worker_runner(host, port)
        self.runner.register_message("prepare", self._on_prepare)

    def _on_prepare(self, msg: Any, **_: Any) -> None:
        self.processes = msg.data.pop("processes")
        self.order = Order(**msg.data)
        error = None
        try:
            users_of(self.order, None)
        except UnusableLocustFile as unusable:
            error = str(unusable)
        else:
            self._prepare(self.order)
        self.runner.send_message("prepared", {"error": error})

    def _prepare(self, order: Order) -> None:
        if self.recorder is not None:
            self.recorder.leave(self.environment.events)
        hear(self.environment)
        schedule = schedule_of(order, self.processes)
        self.environment.user_classes = users_of(order, schedule)
        self.recorder = Recorder(schedule, lambda error: self.runner.send_message("failed", {"error": error}))
        self.recorder.listen(self.environment.events)
        self.started, self.elapsed = time.perf_counter(), None

    def _on_start(self, **_: Any) -> None:
        self.started = time.perf_counter()

    def _on_stop(self, **_: Any) -> None:
        self.elapsed = time.perf_counter() - self.started
        # Before the master is told that this worker has stopped: it waits for that, and then has everything.
        self.runner._send_stats()

    def _on_report(self, data: dict[str, Any], **_: Any) -> None:
        if self.recorder is not None:
            seconds = self.elapsed or time.perf_counter() - self.started
            data["poolware"] = {**self.recorder.report(), "seconds": seconds}


def main() -> None:
    """Work until the master is gone."""
    Worker(sys.argv[1], int(sys.argv[2])).runner.greenlet.join()


if __name__ == "__main__":
    main()
