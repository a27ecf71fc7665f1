"""The harness's end of the driver process."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from loadtests.errors import ComparisonError
from loadtests.processes import Child


@dataclass(frozen=True)
class Load:
    """How hard to load: users without pauses between their requests, for so many seconds."""

    users: int
    seconds: float


@dataclass(frozen=True)
class Answer:
    """What the driver saw in one round; `histogram` is encoded, see `latency`."""

    requests: int
    seconds: float
    histogram: str


class Driver:
    """A running driver process."""

    def __init__(self, core: int | None) -> None:
        arguments = ["loadtests.driver", str(-1 if core is None else core)]
        self.child = Child(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, scenario: str, host: str, load: Load) -> Answer:
        """Run one round; any failed request is an error with its text."""
        assert self.child.process.stdin is not None
        order = {"scenario": scenario, "host": host, **asdict(load)}
        try:
            self.child.process.stdin.write(json.dumps(order) + "\n")
            self.child.process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        answer = self.read()
        error = answer.pop("error")
        if error is not None:
            raise ComparisonError(error)
        return Answer(**answer)

    def read(self) -> dict[str, Any]:
        """Return the driver's next line."""
        assert self.child.process.stdout is not None
        line = self.child.process.stdout.readline()
        if not line:
            raise self._died()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _died(self) -> ComparisonError:
        return ComparisonError(f"the Locust driver died:\n{self.child.last_words()}")


@contextmanager
def driving(core: int | None) -> Iterator[Driver]:
    """Run a driver; it is gone afterwards."""
    driver = Driver(core)
    try:
        driver.read()
        yield driver
    finally:
        driver.child.stop()
