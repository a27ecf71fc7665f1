"""A short crash hunt; `make crash-hunt` has a long one."""

import subprocess
import sys
from pathlib import Path

import pytest
from native_build import compiler

TESTS = Path(__file__).parents[1]


@pytest.mark.skipif(compiler() is None, reason="there is no C compiler")
def test_twenty_thousand_cycles_crash_nothing():
    command = [sys.executable, "-m", "core.crash_hunt", "20000"]
    run = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    if run.returncode == 2:
        pytest.skip(run.stdout.splitlines()[-1])
    assert run.returncode == 0, run.stdout + run.stderr
    assert "cycles, and nothing was found" in run.stdout
