"""Servers of one or more processes, and what each process leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import socket
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import psutil

from .process_clients import PATIENCE, ask
from .serving import HOST, SERVERS, Running, Server, serve
from .settled import balanced, wait_until

FLASK, STARLETTE = "apps.process_flask:app", "apps.process_starlette:app"
DJANGO_WSGI, DJANGO_ASGI = "apps.process_django:wsgi", "apps.process_django:asgi"
POOLS = ("contexts", "buffers", "objects")
_ASYNCIO = r"(?! in: <function _SelectorTransport\.__del__)"
"""CPython 3.13.0 says so of connections that are dropped when their server is gone."""
NOISE = re.compile(
    rf"^(?=\S).*(?:\bpool '|poolware|ContextReleased|BufferReleased|Exception ignored{_ASYNCIO})", re.MULTILINE
)
"""What poolware, or an interpreter that ends, would say unasked. The lines of a traceback's frames are indented."""


@dataclass(frozen=True)
class Row:
    """A server, the app on it, and what it does by itself."""

    command: str
    app: str
    at_once: str = ""
    """Options with which it serves one request of each kind at the same time."""
    patience: str = ""
    """Options with which it waits for requests for a second, and no longer."""
    status: int = 0
    """How it ends after SIGTERM."""
    reads_first: bool = False
    """Whether an upload reaches the app only when all of it is there."""
    socket: str = "whole"
    """What becomes of a websocket when the server is told to stop."""

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("slow", "stream", "upload", "socket") if self.app == STARLETTE else ("slow", "stream", "upload")

    def each(self, outcome: str, socket: str) -> list[str]:
        """Return `outcome` for each kind of request, and `socket` for websockets."""
        return [f"{kind} {socket if kind == 'socket' else outcome}" for kind in self.kinds]


def _gunicorn(options: str, app: str = FLASK, **more: Any) -> Row:
    command = "gunicorn --bind {bind} --log-level warning --keep-alive 5 --no-control-socket"
    return Row(f"{command} --worker-class {options} {{app}}", app, patience="--graceful-timeout 1", **more)


def _uvicorn(options: str, app: str = STARLETTE, **more: Any) -> Row:
    command = "uvicorn --host {host} --port {port} --log-level warning --no-access-log"
    kept = {"status": -15, "patience": "--timeout-graceful-shutdown 1", "socket": "told 1012"}
    return Row(f"{command} {options} {{app}}", app, **kept, **more)


def _hypercorn(worker_class: str) -> Row:
    command = "hypercorn --bind {bind} --log-level warning --worker-class"
    return Row(f"{command} {worker_class} {{app}}", STARLETTE, patience="--graceful-timeout 1")


def _granian(options: str, app: str, program: str = "granian") -> Row:
    command = f"{program} --host {{host}} --port {{port}} --log-level warning"
    command = f"{command} --respawn-failed-workers --respawn-interval 0.2 --interface {options} {{app}}"
    return Row(command, app, patience="--workers-kill-timeout 1", socket="cut")


ROWS = {
    "uvicorn-uvloop-httptools": _uvicorn("--loop uvloop --http httptools"),
    "uvicorn-asyncio-h11": _uvicorn("--loop asyncio --http h11"),
    "hypercorn-asyncio": _hypercorn("asyncio"),
    "hypercorn-trio": _hypercorn("trio"),
    "granian-asgi": _granian("asgi", STARLETTE),
    "gunicorn-asgi": _gunicorn("asgi", STARLETTE),
    "daphne": Row("daphne --bind {host} --port {port} --verbosity 0 {app}", STARLETTE, reads_first=True),
    "gunicorn-sync": _gunicorn("sync", at_once="--workers 3"),
    "gunicorn-gthread": _gunicorn("gthread --threads 8"),
    "gunicorn-gevent": _gunicorn("gevent"),
    "granian-wsgi": _granian("wsgi --blocking-threads 4", FLASK),
    "waitress": Row("waitress --listen {bind} --threads 8 {app}", FLASK, status=-15, reads_first=True),
    "django-wsgi": _gunicorn("gthread --threads 8", DJANGO_WSGI),
    "django-asgi": _uvicorn("--loop uvloop --http httptools", DJANGO_ASGI, reads_first=True),
}

ON_BOTH_CORES = {
    "uvicorn-uvloop-httptools",
    "hypercorn-trio",
    "gunicorn-sync",
    "gunicorn-gthread",
    "gunicorn-gevent",
    "granian-wsgi",
    "django-asgi",
}
"""Of each kind of loop, of threads, greenlets, forks and spawned processes one: see targets.ON_BOTH_CORES."""

PRELOADING = {
    "granian-asgi": _granian("asgi", STARLETTE, "apps.process_granian"),
    "granian-wsgi": _granian("wsgi --blocking-threads 4", FLASK, "apps.process_granian"),
}
STRUCK = {"gunicorn-gevent": _gunicorn("gevent --keep-alive 1", "apps.process_gevent:app")}


@dataclass
class Site:
    """A server that runs, and the folder into which its processes write what they have to say."""

    row: Row
    server: Running
    folder: Path
    family: set[psutil.Process] = field(default_factory=set, init=False)
    over: list[str] = field(default_factory=list, init=False)
    """The requests of the last `hold` that have come to an end, in this order."""

    # --- requests -----------------------------------------------------------------------------------------------------

    def hold(
        self, meanwhile: Callable[[], object], kinds: Collection[str] | None = None, *, end: bool = True
    ) -> list[str]:
        """Have a request of each kind in flight, do `meanwhile`, let them end, or not; return what became of each."""
        kinds = kinds or self.row.kinds
        gate = self.folder / "gate"
        gate.unlink(missing_ok=True)
        self.over.clear()
        before = len(self.notes())
        held = set(kinds) - ({"upload"} if self.row.reads_first else set())

        async def one(kind: str, go_on: asyncio.Event) -> str:
            outcome = f"{kind} {await ask(self.server.port, kind, go_on)}"
            self.over.append(outcome)
            return outcome

        async def together() -> list[str]:
            go_on = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(kind, go_on)) for kind in kinds]
                await asyncio.to_thread(wait_until, lambda: {kind for _, kind, *_ in self.notes()[before:]} >= held)
                await asyncio.to_thread(meanwhile)
                if end:
                    gate.touch()
                    go_on.set()
            return [task.result() for task in tasks]

        return asyncio.run(together())

    def ask_until(self, enough: Callable[[], bool], clients: int = 4) -> list[str]:
        """Ask one request after the other, of all kinds and at least one, until it is enough; return the outcomes.

        A client asks again when its connection is refused, and only then.
        """
        numbers, outcomes = itertools.count(), Counter[str]()
        (self.folder / "gate").touch()

        async def client(go_on: asyncio.Event) -> None:
            while not (enough() and outcomes):
                kind = ("brief", *self.row.kinds)[next(numbers) % (1 + len(self.row.kinds))]
                with contextlib.suppress(ConnectionRefusedError):
                    outcomes.update([f"{kind} {await ask(self.server.port, kind, go_on)}"])
                await asyncio.sleep(0.01)

        async def together() -> None:
            go_on = asyncio.Event()
            go_on.set()
            async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
                for _ in range(clients):
                    group.create_task(client(go_on))

        asyncio.run(together())
        return list(outcomes.elements())

    # --- the end ------------------------------------------------------------------------------------------------------

    def tell(self, *signals: int, seconds: float = 0.3) -> None:
        """Send signals to the server, each when it has noticed the one before.

        It has when it takes no more connections, or has told a websocket. Not every one does so at once, or at all:
        then it is given some `seconds`.
        """
        for one in signals:
            self._remember()
            self.server.process.send_signal(one)
            until = time.monotonic() + seconds
            while self._listens() and time.monotonic() < until:
                time.sleep(0.02)

    def ended(self) -> int:
        """Wait for the end of the server, and of all that it had started when it was told; return its exit status."""
        status = self.server.wait()
        assert psutil.wait_procs(self.family, timeout=5)[1] == []
        return status

    def quiet(self) -> None:
        """Check that poolware has said nothing."""
        assert not NOISE.search(self.server.tail(10**9))

    def _remember(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self.family |= set(psutil.Process(self.server.process.pid).children(recursive=True))

    def _listens(self) -> bool:
        if self.server.process.poll() is not None or any("told" in note for note in self.notes()):
            return False
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.server.port), timeout=1):
            return True
        return False

    # --- what the processes say ---------------------------------------------------------------------------------------

    def notes(self) -> list[list[str]]:
        """Return what the processes have noted: who, what, and more."""
        path = self.folder / "notes.txt"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def started(self) -> list[int]:
        """Return the processes that have loaded the app, the first one first."""
        return [int(pid) for pid, event, *_ in self.notes() if event == "up"]

    def served(self) -> Counter[int]:
        """Return how many requests each process has begun, as the app itself has noted."""
        return Counter(int(pid) for pid, event, *_ in self.notes() if event not in {"up", "rests", "told"})

    def last_reports(self) -> list[dict[str, Any]]:
        """Return the last report of every process that has served anything."""
        return [json.loads(path.read_text()) for path in self.folder.glob("*.json")]

    def all_came_back(self, but: Collection[int] = ()) -> list[dict[str, Any]]:
        """Check that every process that has ended, `but` those, left exact figures and nothing out; return them."""
        reports = [last for last in self.last_reports() if last["pid"] not in but]
        served = {pid: count for pid, count in self.served().items() if pid not in but}
        assert {last["pid"]: last["begun"] for last in reports} == served
        for last in reports:
            came_back(last)
        return reports


def ends_of(answers: Collection[str]) -> set[str]:
    """Return what became of requests, whatever their kind."""
    return {answer.split(maxsplit=1)[1] for answer in answers}


def came_back(last: dict[str, Any]) -> None:
    """Check that the figures of a process add up, and nothing is out."""
    balanced(last)
    assert last["problems"] == []
    assert last["unwiped"] == 0
    assert last["contexts"]["acquired"] == last["begun"], last
    out = {(pool, state): last[pool][state] for pool in POOLS for state in ("in_use", "quarantined")}
    assert set(out.values()) == {0}, out


@contextlib.contextmanager
def running(name: str, folder: Path, options: str = "", rows: Any = ROWS, **environment: str) -> Iterator[Site]:
    """Run the server of a row; what its processes have to say goes into `folder`."""
    row = rows[name]
    entry = Server(name, row.command, "asgi" if row.app in {STARLETTE, DJANGO_ASGI} else "wsgi")
    with (
        mock.patch.dict(SERVERS, {name: entry}),
        serve(name, row.app, *options.split(), LAST_REPORTS=str(folder), **environment) as server,
    ):
        yield Site(row, server, folder)
