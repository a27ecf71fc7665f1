"""The harness's end of the driver process."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from poolware_compare.driver.order import Order, Seen
from poolware_compare.errors import ComparisonError
from poolware_compare.processes import Child
from poolware_compare.usage import usage


class Driver:
    """A running driver process, with its workers if there are any."""

    def __init__(self, processes: int, bind: str, prefix: Sequence[str], cores: Sequence[int]) -> None:
        self.processes = processes
        settings = {"processes": processes, "bind": bind, "prefix": list(prefix), "cores": list(cores)}
        arguments = ["poolware_compare.driver.process", json.dumps(settings)]
        self.child: Child = Child(arguments, cores=cores, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, order: Order) -> Seen:
        """Run one round; any failed request is an error with its text."""
        assert self.child.process.stdin is not None
        try:
            self.child.process.stdin.write(json.dumps(asdict(order)) + "\n")
            self.child.process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        seen = Seen(**self._read())
        if seen.error is not None:
            raise ComparisonError(seen.error)
        return seen

    def wait_until_ready(self) -> None:
        """Return once it takes orders."""
        answer = self._read()
        if not answer["ready"]:
            msg = f"the load driver did not start: {answer['error']}"
            raise ComparisonError(msg)

    def cpu_seconds(self) -> float:
        """Return the CPU time that the driver and its workers have used."""
        return sum(usage(self.child.family()).cpu_ns.values()) / 1e9

    def _read(self) -> dict[str, Any]:
        assert self.child.process.stdout is not None
        line = self.child.process.stdout.readline()
        if not line:
            raise self._died()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _died(self) -> ComparisonError:
        return ComparisonError(f"the Locust driver died:\n{self.child.last_words()}")


@contextmanager
def driving(
    processes: int = 1, *, bind: str = "127.0.0.1", prefix: Sequence[str] = (), cores: Sequence[int] = ()
) -> Iterator[Driver]:
    """Run a driver; it is gone afterwards."""
    driver = Driver(processes, bind, prefix, cores)
    try:
        driver.wait_until_ready()
        yield driver
    finally:
        driver.child.stop()
