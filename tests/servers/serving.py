"""Real servers: started on a free port in a process of their own, stopped by their own pid."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

HERE = Path(__file__).parent
HOST = "127.0.0.1"
START_SECONDS = 40
STOP_SECONDS = 20


@dataclass(frozen=True)
class Server:
    """How a server is started. ``{bind}``, ``{host}``, ``{port}`` and ``{app}`` are filled in."""

    name: str
    command: str
    interface: str


def _uvicorn(name: str, loop: str, http: str) -> Server:
    command = "uvicorn --host {host} --port {port} --log-level warning --no-access-log"
    return Server(name, f"{command} --loop {loop} --http {http} --timeout-graceful-shutdown 10 {{app}}", "asgi")


def _gunicorn(name: str, options: str, interface: str = "wsgi") -> Server:
    shared = "--log-level warning --keep-alive 30 --graceful-timeout 10 --no-control-socket"
    return Server(name, f"gunicorn --bind {{bind}} {shared} {options} {{app}}", interface)


def _hypercorn(name: str, worker_class: str) -> Server:
    command = "hypercorn --bind {bind} --workers 0 --log-level warning"
    return Server(name, f"{command} --worker-class {worker_class} {{app}}", "asgi")


def _granian(name: str, interface: str, options: str = "") -> Server:
    command = "granian --host {host} --port {port} --log-level warning"
    return Server(name, f"{command} --interface {interface} {options} {{app}}", interface)


SERVERS = {
    server.name: server
    for server in (
        _uvicorn("uvicorn-uvloop-httptools", "uvloop", "httptools"),
        _uvicorn("uvicorn-asyncio-h11", "asyncio", "h11"),
        _hypercorn("hypercorn", "asyncio"),
        _hypercorn("hypercorn-trio", "trio"),
        _granian("granian", "asgi"),
        _granian("granian-wsgi", "wsgi", "--blocking-threads 16"),
        _gunicorn("gunicorn-asgi", "--worker-class asgi", "asgi"),
        Server("daphne", "daphne --bind {host} --port {port} --verbosity 0 {app}", "asgi"),
        _gunicorn("gunicorn-sync", "--worker-class sync"),
        _gunicorn("gunicorn-gthread", "--worker-class gthread --threads 64"),
        _gunicorn("gunicorn-gevent", "--worker-class gevent"),
        Server("uwsgi", "debian uwsgi {bind} {app}", "wsgi"),
        Server("mod_wsgi", "debian mod_wsgi {bind} {app}", "wsgi"),
        Server("waitress", "waitress --listen {bind} --threads 64 {app}", "wsgi"),
    )
}


@dataclass
class Running:
    """A server that accepts connections."""

    port: int
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    stopped: bool = field(default=False, init=False)

    def tail(self, characters: int = 6000) -> str:
        """Return the end of what the server has written."""
        return Path(self.log.name).read_text(errors="replace")[-characters:]

    def log_size(self) -> int:
        """Return how many bytes the server has written."""
        return Path(self.log.name).stat().st_size

    def logged_since(self, size: int) -> str:
        """Return what the server has written after the first `size` bytes."""
        return Path(self.log.name).read_bytes()[size:].decode(errors="replace")

    def terminate(self) -> None:
        """Ask the server to stop, as an init system does, and return at once."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Wait for the server's end; return its exit status."""
        return self.process.wait(seconds)

    def stop(self) -> None:
        """Stop the server and whatever it has started."""
        if self.stopped:
            return
        self.stopped = True
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(self.process.pid).children(recursive=True)
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(STOP_SECONDS)
            for left in psutil.wait_procs(family, timeout=3)[1]:
                left.kill()


@contextlib.contextmanager
def serve(server: str, app: str, *options: str, **environment: str) -> Iterator[Running]:
    """Run `app`, a name such as ``apps.flask_app:app``; on failure the error shows the end of the server's log.

    `options` come after the server's own, so that they may replace them.
    """
    port = free_port()
    command = SERVERS[server].command.format(bind=f"{HOST}:{port}", host=HOST, port=port, app=app).split()
    command[-1:-1] = options
    paths = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    if "SABOTAGE" in environment:  # it changes the plain twin
        environment["POOLWARE_CORE"] = "python"
    settings = {**os.environ, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", **environment}
    with tempfile.NamedTemporaryFile(prefix=f"{server}-", suffix=".log") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=HERE, env=settings, stdout=log, stderr=subprocess.STDOUT
        )
        running = Running(port, process, log)
        try:
            _wait_for_port(running)
            yield running
        except BaseException as error:
            error.add_note(f"--- end of the log of {server} {app} ---\n{running.tail()}")
            raise
        finally:
            running.stop()


def free_port() -> int:
    """Return a port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for_port(running: Running) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if running.process.poll() is not None:
            msg = f"the server ended with status {running.process.returncode} before it listened"
            raise RuntimeError(msg)
        with contextlib.suppress(OSError), socket.create_connection((HOST, running.port), timeout=1):
            return
        time.sleep(0.05)
    msg = f"the server did not listen within {START_SECONDS} s"
    raise RuntimeError(msg)
