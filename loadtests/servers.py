"""Server processes and what they have used."""

import http.client
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from loadtests.arms import Arm
from loadtests.errors import ComparisonError
from loadtests.processes import Child

START_SECONDS = 20.0
CPUCLOCK_SCHED = 2
MINOR_FAULTS_FIELD = 7  # of /proc/PID/stat, counted after the command name


@dataclass(frozen=True)
class Usage:
    """What a server and its children have used so far: CPU nanoseconds and minor faults; and hold now: bytes."""

    cpu_ns: int
    minor_faults: int
    rss_bytes: int


class Server:
    """One uvicorn process that serves one arm on a free port of the loopback interface."""

    def __init__(self, arm: Arm, core: int | None) -> None:
        self.arm = arm
        # Bound here and inherited there: the port cannot be taken in between.
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port: int = listener.getsockname()[1]
            descriptor = listener.fileno()
            arguments = ["loadtests.serve", arm.app, str(descriptor), str(-1 if core is None else core)]
            self.child = Child(arguments, arm.variables, pass_fds=(descriptor,))

    @property
    def host(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self.port}"

    def wait_until_ready(self) -> None:
        """Return once a request is answered; a server that died or stays silent for 20 seconds is an error."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if not self.child.running() or time.monotonic() > deadline:
                reason = "did not start" if not self.child.running() else f"was silent for {START_SECONDS:.0f} s"
                msg = f"the server of arm {self.arm.name!r} ({self.arm.app}) {reason}:\n{self.child.last_words()}"
                raise ComparisonError(msg)
            time.sleep(0.05)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        try:
            connection.request("GET", "/profile?user=ada")
            return connection.getresponse().status > 0
        except OSError:
            return False
        finally:
            connection.close()

    def usage(self) -> Usage:
        """Return what the server has used; a server that died is an error."""
        if not self.child.running():
            msg = f"the server of arm {self.arm.name!r} ({self.arm.app}) died:\n{self.child.last_words()}"
            raise ComparisonError(msg)
        main = psutil.Process(self.child.pid)
        family = [main, *main.children(recursive=True)]
        return Usage(
            cpu_ns=sum(cpu_ns(process.pid) for process in family),
            minor_faults=sum(minor_faults(process.pid) for process in family),
            rss_bytes=sum(process.memory_info().rss for process in family),
        )


def cpu_ns(pid: int) -> int:
    """Return the CPU nanoseconds that a process has used; the kernel's own clock, not the 10 ms ticks of /proc."""
    return time.clock_gettime_ns((~pid << 3) | CPUCLOCK_SCHED)


def minor_faults(pid: int) -> int:
    """Return how many pages a process has had mapped in without reading from disk."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[MINOR_FAULTS_FIELD])


@contextmanager
def serving(arms: Sequence[Arm], core: int | None) -> Iterator[list[Server]]:
    """Run a server for each arm, all at the same time; all of them are gone afterwards."""
    with ExitStack() as stack:
        servers = []
        for arm in arms:
            server = Server(arm, core)
            stack.callback(server.child.stop)
            servers.append(server)
        for server in servers:
            server.wait_until_ready()
        yield servers
