"""Each protection, taken out in turn, turns the test red that docs/hazards.md names for it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from plugins import NO_OTHER_PLUGINS, PLUGINS
from without import REMOVALS

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "docs" / "hazards.md").read_text().partition("## Protections taken out")[2]
ROWS = re.findall(r"^\| (.+?) \| .+? \| \[.+?\]\(\.\./(.+?)\) `(.+?)` \|$", SECTION, flags=re.MULTILINE)


def test_every_protection_has_a_row():
    assert sorted(name for name, _, _ in ROWS) == sorted(REMOVALS)


@pytest.mark.parametrize(("name", "file", "test"), ROWS, ids=[name for name, _, _ in ROWS])
def test_its_removal_is_noticed(name, file, test):
    """The suite shows that the same test is green with it."""
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGINS, "-p", "without", "-x", "-q", f"{file}::{test}"],
        cwd=ROOT,
        env={**os.environ, **NO_OTHER_PLUGINS, "WITHOUT": name, "PYTHONPATH": path, "POOLWARE_CORE": "python"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout[-2000:] + run.stderr[-2000:]
    assert re.search(r"\b1 failed\b", run.stdout)
