"""Rounds by Locust's own master and workers, each a process."""

import socket
import time
from typing import Any

import gevent
import gevent.event
from locust.env import Environment

from poolware_compare.driver.order import Order
from poolware_compare.driver.shaping import shape_of
from poolware_compare.driver.users import UnusableLocustFile, users_of
from poolware_compare.latency import merged
from poolware_compare.processes import Child

CONNECT_SECONDS = 30.0
# Locust's workers wait for so long after each round before they are ready again.
STOP_SECONDS = 1


class Distributed:
    """A master in this process; `processes` workers, started with `prefix` before their command."""

    def __init__(self, processes: int, bind: str, prefix: list[str], cores: list[int]) -> None:
        self.environment: Any = Environment(user_classes=[], stop_timeout=STOP_SECONDS)
        port = _free_port(bind)
        self.runner: Any = self.environment.create_master_runner(bind, port)
        self.reports: dict[str, dict[str, Any]] = {}
        self.error: str | None = None
        self.prepared: set[str] = set()
        self.changed: Any = gevent.event.Event()
        self.environment.events.worker_report.add_listener(self._on_report)
        self.runner.register_message("failed", self._on_failed)
        self.runner.register_message("prepared", self._on_prepared)
        self.workers: list[Child] = []
        try:
            for _ in range(processes):
                self.workers.append(
                    Child(
                        ["poolware_compare.driver.worker", bind, str(port)],
                        prefix=prefix,
                        cores=cores,
                        own_session=False,  # whoever kills the driver's group kills the workers
                    )
                )
            self._await(lambda: len(self.runner.clients.ready) == processes, CONNECT_SECONDS, "did not connect")
        except BaseException:
            self.close()
            raise

    def run(self, order: Order) -> dict[str, Any]:
        """Load the host from all workers; what they saw is added up."""
        self._await(lambda: len(self.runner.clients.ready) == len(self.workers), CONNECT_SECONDS, "is not ready again")
        self.environment.user_classes = users_of(order, None)
        self.environment.shape_class = shape_of(order)
        if self.environment.shape_class:
            self.environment.shape_class.runner = self.runner
        self.environment.host = order.host
        self.reports, self.error = {}, None
        self.prepared.clear()
        self.runner.send_message("prepare", {**vars(order), "processes": len(self.workers)})
        self._await(lambda: len(self.prepared) == len(self.workers), CONNECT_SECONDS, "was not prepared")
        if self.error is not None:
            raise UnusableLocustFile(self.error)
        started = time.perf_counter()
        if self.environment.shape_class:
            self.runner.start_shape()
        else:
            self.runner.start(max(order.users, len(self.workers)), spawn_rate=order.users)
        self._await(lambda: self.error is not None, order.seconds)
        self.runner.stop()
        elapsed = time.perf_counter() - started
        return self._added_up(elapsed)

    def close(self) -> None:
        """Stop the workers."""
        for worker in self.workers:
            worker.stop()

    def _added_up(self, elapsed: float) -> dict[str, Any]:
        reports = self.reports.values()
        return {
            "requests": sum(report["requests"] for report in reports),
            "late": sum(report["late"] for report in reports),
            "histogram": merged(report["histogram"] for report in reports).encode().decode(),
            "seconds": max((report["seconds"] for report in reports), default=elapsed),
            "error": self.error,
        }

    def _await(self, condition: Any, seconds: float, problem: str | None = None) -> None:
        end = time.monotonic() + seconds
        while not condition():
            for worker in self.workers:
                if not worker.running():
                    msg = f"a Locust worker died:\n{worker.last_words()}"
                    raise UnusableLocustFile(msg)
            left = end - time.monotonic()
            if left <= 0:
                if problem is None:
                    return
                msg = f"a Locust worker {problem} within {seconds:.0f} s"
                raise UnusableLocustFile(msg)
            self.changed.clear()
            # Workers that die say nothing: look after them now and then.
            self.changed.wait(min(left, 0.25))

    def _on_report(self, client_id: str, data: dict[str, Any]) -> None:
        if "poolware" in data:
            self.reports[client_id] = data["poolware"]

    def _on_failed(self, msg: Any, **_: Any) -> None:
        self.error = self.error or msg.data["error"]
        self.changed.set()

    def _on_prepared(self, msg: Any, **_: Any) -> None:
        self.error = self.error or msg.data["error"]
        self.prepared.add(msg.node_id)
        self.changed.set()


def _free_port(host: str) -> int:
    with socket.socket() as listener:
        listener.bind((host, 0))
        return int(listener.getsockname()[1])
