"""Child processes: started with the project on their path, and stopped for certain."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 5.0


class Child:
    """One `python -m …` process. Its standard error is kept for the message should it fail."""

    def __init__(self, arguments: Sequence[str], variables: Mapping[str, str] | None = None, **options: Any) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        # One hash seed for all: with random ones two processes of the same program differ by a few per cent.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0", **(variables or {})}
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env=environment,
            stderr=self._errors,
            # Ctrl-C reaches the harness alone, which then stops its children in order.
            start_new_session=True,
            **options,
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def running(self) -> bool:
        """Tell whether the process is still there."""
        return self.process.poll() is None

    def last_words(self, lines: int = 20) -> str:
        """Return the last lines that the process wrote to standard error."""
        self._errors.seek(0)
        text = self._errors.read().decode(errors="replace").strip()
        return "\n".join(text.splitlines()[-lines:]) or "(it wrote nothing to standard error)"

    def stop(self) -> None:
        """Terminate the process, kill it after five seconds, and wait until it is gone."""
        try:
            if self.running():
                self.process.terminate()
                self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if self.running():
                self.process.kill()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout, self._errors):
                if stream is not None:
                    stream.close()
