"""A page that says what to type: its blocks, and terminals into which a test types them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import pytest

PATIENCE = 60
UNTIL_STOPPED = ", until Ctrl+C"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    title: str
    text: str


def blocks_of(page: str) -> Iterator[Block]:
    """Yield the blocks of `page` in order."""
    for block in re.finditer(r'^```(\w+)(?: title="(.*?)")?\n(.*?)^```$', page, re.MULTILINE | re.DOTALL):
        yield Block(block[1], block[2] or "", block[3])


class Terminal:
    """Where commands are typed. What one changes, directory and variables, the next one finds changed."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self.directory, self.environment = directory, dict(environment)
        self.server: Server | None = None

    def type(self, commands: str) -> str:
        """Run `commands` to their end; return what they wrote."""
        with TemporaryFile("w+") as state:
            ran = subprocess.run(
                ["/bin/bash", "-ec", f"{commands}\n{{ pwd; env -0; }} >&{state.fileno()}"],
                cwd=self.directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                pass_fds=[state.fileno()],
                timeout=10 * PATIENCE,
                check=False,
            )
            assert ran.returncode == 0, f"{commands}\n{ran.stdout}"
            state.seek(0)
            directory, _, variables = state.read().partition("\n")
        self.directory = Path(directory)
        self.environment = dict(variable.split("=", 1) for variable in variables.split("\0") if variable)
        return ran.stdout

    def serve(self, command: str, port: int) -> None:
        """Start `command`, which runs until it is stopped, and wait until it listens at `port`."""
        self.server = Server(command, self.directory, self.environment)
        self.server.wait_until_listening(port)

    def stop(self) -> None:
        """Press Ctrl+C, if a server is running."""
        if self.server is not None:
            self.server.stop()
            self.server = None


class Server:
    """A command that goes on, and what it has written so far."""

    def __init__(self, command: str, directory: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", command],
            cwd=directory,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,  # of its own, as in a terminal: Ctrl+C reaches every process of the command
        )
        self._written, self._seen, self._over = "", 0, False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_listening(self, port: int) -> None:
        """Wait until somebody answers at `port`; fail if the command ends before."""
        for _ in range(20 * PATIENCE):
            with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                return
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
                self._reader.join()
                break
        pytest.fail(f"nothing listens at {port}\n{self._written}")

    def wait_for(self, shown: re.Pattern[str]) -> None:
        """Wait until it has written what is `shown`, after what was waited for before."""
        with self._news:
            self._news.wait_for(lambda: self._over or shown.search(self._written, self._seen), PATIENCE)
            found = shown.search(self._written, self._seen)
            assert found, f"not written: {shown.pattern}\n{self._written[self._seen :]}"
            self._seen = found.end()

    def stop(self) -> None:
        """Press Ctrl+C, and wait for its end."""
        os.killpg(self._process.pid, signal.SIGINT)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise
        finally:
            self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with self._news:
                    self._written += line
                    self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()
