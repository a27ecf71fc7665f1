"""Running a section: worker processes of both twins in turn, their rounds put together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

from benchmarks.rows import Row, row_of

TWINS = ("compiled", "python") if find_spec("poolware._core.compiled") else ("python",)


def run(section: str, *, processes: int, rounds: int, seconds: float) -> list[Row]:
    """Measure a section with each twin; return its rows, those of the two twins side by side."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for _ in range(processes):
        for twin in TWINS:
            for record in _worker(section, twin, rounds, seconds):
                key = (record["subject"], record["over"], str(record["without"]), twin)
                known = found.setdefault(key, record | {"twin": twin, "times": []})
                known["times"] += record["times"]
    order = list(dict.fromkeys(key[:3] for key in found))
    return [row_of(section, found[*key, twin]) for key in order for twin in TWINS]


def with_core(twin: str) -> dict[str, str]:
    """Return the environment in which poolware uses `twin`."""
    return os.environ | {"POOLWARE_CORE": twin, "POOLWARE_MODE": "on"}


def _worker(section: str, twin: str, rounds: int, seconds: float) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.worker", section, f"--rounds={rounds}", f"--seconds={seconds}"]
    done = subprocess.run(command, env=with_core(twin), stdout=subprocess.PIPE, check=True)
    records: list[dict[str, Any]] = json.loads(done.stdout)
    return records
