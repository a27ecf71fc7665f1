"""Server processes and what they have used."""

import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from poolware_compare import probe, served
from poolware_compare.arms import Arm
from poolware_compare.errors import ComparisonError
from poolware_compare.launch import SERVERS, Place
from poolware_compare.probe import Look
from poolware_compare.processes import Child
from poolware_compare.usage import Usage, usage

START_SECONDS = 30.0


class Server:
    """One server that serves one arm on a free port of an address of this machine."""

    def __init__(self, arm: Arm, name: str, place: Place, probes: Path, workers: int) -> None:
        self.arm = arm
        self.name = name
        self.workers = workers
        self._place = place
        self._probes = probes
        variables = {**arm.variables, served.APP: arm.app, probe.VARIABLE: str(probes)}
        if arm.directory is not None:
            variables[served.DIRECTORY] = arm.directory
        arguments = SERVERS[name].arguments(place, workers)
        self.child: Child = Child(arguments, variables, directory=arm.directory)

    @property
    def host(self) -> str:
        """The base address."""
        return "http://{}:{}".format(*self._place)

    def wait_until_ready(self) -> None:
        """Return once all its workers have loaded the app and it listens; raise after 30 seconds, or if it died."""
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if not self.child.running() or time.monotonic() > deadline:
                reason = "did not start" if not self.child.running() else f"was silent for {START_SECONDS:.0f} s"
                raise ComparisonError(self._said(reason))
            time.sleep(0.02)

    def _ready(self) -> bool:
        """Tell whether each worker has its probe, and whether somebody accepts."""
        if len(self.worker_pids()) < self.workers:
            return False
        try:
            socket.create_connection(self._place, timeout=START_SECONDS).close()
        except OSError:
            return False
        return True

    def usage(self) -> Usage:
        """Return what the server has used, all its workers included; a server that died is an error."""
        used = usage(self.child.family())
        if not self.child.running():
            raise ComparisonError(self._said("died"))
        return used

    def worker_pids(self) -> list[int]:
        """Return the processes that have loaded the app: those with a probe."""
        return [pid for pid in self.child.family() if (self._probes / str(pid)).exists()]

    def look(self) -> Look:
        """Return what its workers tell of themselves."""
        try:
            return probe.look(self._probes, self.worker_pids())
        except (OSError, ValueError) as error:
            raise ComparisonError(self._said(f"does not answer ({error})")) from None

    def said(self) -> str:
        """Return the last lines of its log."""
        return self.child.last_words()

    def _said(self, what: str) -> str:
        return f"the server of arm {self.arm.name!r} ({self.arm.app} on {self.name}) {what}:\n{self.said()}"


@contextmanager
def serving(
    arms: Sequence[Arm], name: str, *, workers: int = 1, address: str = "127.0.0.1", cores: Sequence[int] = ()
) -> Iterator[list[Server]]:
    """Run a server for each arm, all at the same time; all of them are gone afterwards."""
    SERVERS[name].check(name)
    with ExitStack() as stack:
        probes = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="poolware-")))
        servers = []
        for arm, port in zip(arms, free_ports(address, len(arms)), strict=True):
            server = Server(arm, name, (address, port), probes, workers)
            stack.callback(server.child.stop)
            servers.append(server)
        for server in servers:
            server.wait_until_ready()
        if cores:
            # Not before: starting is quicker on all of them.
            for server in servers:
                server.child.pin(cores)
        yield servers


def free_ports(address: str, count: int) -> list[int]:
    """Return as many different ports that nobody listens on."""
    with ExitStack() as stack:
        ports = []
        for _ in range(count):
            listener = stack.enter_context(socket.socket())
            listener.bind((address, 0))
            ports.append(int(listener.getsockname()[1]))
        return ports
