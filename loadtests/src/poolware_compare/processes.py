"""Child processes: started in the directory of the application, and stopped for certain."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

PACKAGES = Path(__file__).resolve().parent.parent
STOP_SECONDS = 5.0


class Child:
    """One `python -m …` process. Its standard error is kept for the message should it fail."""

    def __init__(
        self,
        arguments: Sequence[str],
        variables: Mapping[str, str] | None = None,
        *,
        prefix: Sequence[str] = (),
        cores: Sequence[int] = (),
        directory: str | None = None,
        own_session: bool = True,
        **options: Any,
    ) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        # The application's own directory first: what is compared there may be another version of what is installed.
        here = Path(directory) if directory else Path.cwd()
        paths = [str(here), str(here / "src"), str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
        # One hash seed for all: with random ones two processes of the same program differ by a few per cent.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0", **(variables or {})}
        self.process: subprocess.Popen[Any] = subprocess.Popen(
            [*prefix, sys.executable, "-m", *arguments],
            env=environment,
            cwd=directory,
            stderr=self._errors,
            # Ctrl-C reaches the harness alone, which then stops its children in order.
            start_new_session=own_session,
            **options,
        )
        if cores:
            self.pin(cores)

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def running(self) -> bool:
        """Tell whether the process is still there."""
        return self.process.poll() is None

    def family(self) -> list[int]:
        """Return the process and all that it has started."""
        return descendants(self.pid)

    def pin(self, cores: Sequence[int]) -> None:
        """Keep the process and all that it has started on these cores, and whatever they start later."""
        for pid in self.family():
            with suppress(OSError):  # gone meanwhile
                for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names are all that is wanted
                    os.sched_setaffinity(int(thread), cores)

    def last_words(self, lines: int = 20) -> str:
        """Return the last lines that the process wrote to standard error."""
        self._errors.seek(0)
        text = self._errors.read().decode(errors="replace").strip()
        return "\n".join(text.splitlines()[-lines:]) or "(it wrote nothing to standard error)"

    def stop(self) -> None:
        """Terminate the process, kill it and its children after five seconds, and wait until it is gone."""
        try:
            if self.running():
                self.process.terminate()
                self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # Nobody else's process is in its group, if it has one.
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout, self._errors):
                if stream is not None:
                    with suppress(BrokenPipeError):  # what it did not read any more
                        stream.close()


def descendants(pid: int) -> list[int]:
    """Return a process, its children, and theirs; nothing if it is gone.

    The kernel is asked for the children of each. To look at every process of the machine for its parent, as psutil has
    to, takes longer than some rounds.
    """
    found = []
    with suppress(OSError):
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        found.append(pid)
        for task in tasks:
            for child in (task / "children").read_text(encoding="ascii").split():
                found += descendants(int(child))
    return found
