"""Try rows of the table, or all: python -m tests.compatibility [NAME …]. Its results are in build/compatibility/."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.compatibility.rows import ENDS, ROWS, Row, lower_bounds
from tests.compatibility.table import write
from tests.distributions import ROOT

BUILD = ROOT / "build" / "compatibility"
OLDEST_PYTHON = "3.11"
TOOLS = ("pytest", "pytest-timeout", "anyio", "trio", "hypothesis")
DISTS = ROOT / "dist"  # the plain core: no framework knows which one it is
WARNINGS_OF_OTHERS = ("-W", "default")  # an old framework's, of what has come since


def main() -> None:
    """Try the rows named on the command line, or all; put all that have been tried into the page."""
    wanted = sys.argv[1:] or [_slug(row) for row in ROWS]
    if unknown := {*wanted} - {_slug(row) for row in ROWS}:
        sys.exit(f"{', '.join(unknown)}: it takes {', '.join(map(_slug, ROWS))}")
    for row in ROWS:
        if _slug(row) in wanted:
            result = {end: attempt(row, end) for end in ENDS}
            _file(row).write_text(json.dumps(result, indent=1))
            print(row.name, json.dumps(result), flush=True)  # noqa: T201
    results = [(row.name, json.loads(_file(row).read_text())) for row in ROWS if _file(row).exists()]
    write(results)
    sys.exit(any(ends[end]["failed"] for _, ends in results for end in ENDS))


def _file(row: Row) -> Path:
    return BUILD / f"{_slug(row)}.json"


def _slug(row: Row) -> str:
    return row.name.lower().replace(", ", "-")


def attempt(row: Row, end: str) -> dict[str, object]:
    """Install one end of `row` into an environment of its own, and run its tests there."""
    folder = BUILD / f"{_slug(row)}-{end}"
    python = install(row, end, folder)
    report, log = folder / "tests.xml", folder / "tests.log"
    options = ("-q", "-p", "no:cacheprovider", *WARNINGS_OF_OTHERS, f"--junitxml={report}")
    report.unlink(missing_ok=True)
    with log.open("w") as output:
        subprocess.run(
            [python, "-m", "pytest", *options, *row.tests],
            cwd=ROOT,
            env=environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    tests = (
        ET.parse(report).getroot()[0].attrib
        if report.exists()
        else {"tests": "1", "errors": "1", "failures": "0", "skipped": "0"}
    )
    failed, skipped = int(tests["errors"]) + int(tests["failures"]), int(tests["skipped"])
    return {
        "versions": versions(python, lower_bounds(row)),
        "python": said(python, "-c", "import platform; print(platform.python_version())"),
        "passed": int(tests["tests"]) - failed - skipped,
        "skipped": skipped,
        "failed": failed,
    }


def install(row: Row, end: str, folder: Path) -> Path:
    """Make the environment; return its interpreter."""
    base = said(ROOT / ".ci" / "find-python", OLDEST_PYTHON if end == "oldest" else row.newest_python)
    said(base, "-m", "venv", "--clear", "--without-pip", folder)
    python = folder / "bin" / "python"
    bounds = lower_bounds(row)
    oldest = end == "oldest"
    beside = row.oldest_beside or row.beside if oldest else row.beside
    exact = [f"{name}=={version}" for name, version in bounds.items()] if oldest else [*bounds]
    constraints = folder / "constraints.txt"
    constraints.write_text(constraints_without({*bounds, *row.loose} if oldest else set()))
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    options = ("--quiet", "--no-compile", "--find-links", DISTS, "--constraint", constraints)
    said(*pip, "install", *options, row.requirement, *exact, *beside, *TOOLS)
    said(*pip, "check")
    return python


def constraints_without(names: set[str]) -> str:
    """Return the pinned versions of all but `names`."""
    free = {canonicalize_name(name) for name in names}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    return "\n".join(line for line in pinned if canonicalize_name(Requirement(line).name) not in free)


def versions(python: Path, names: dict[str, str]) -> dict[str, str]:
    """Return which versions of `names` are installed."""
    program = f"import json, importlib.metadata as m; print(json.dumps({{n: m.version(n) for n in {[*names]}}}))"
    return dict(json.loads(said(python, "-c", program)))


def said(*command: str | Path) -> str:
    """Run `command`; return what it says."""
    run = subprocess.run(
        [*map(str, command)], cwd=BUILD, env=environment(), stdout=subprocess.PIPE, text=True, check=True
    )
    return run.stdout.strip()


def environment() -> dict[str, str]:
    """Without what would lead past the distributions that are tried."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "POOLWARE"))} | {
        "PIP_QUIET": "2"
    }


BUILD.mkdir(parents=True, exist_ok=True)
main()
