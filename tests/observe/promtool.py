"""Prometheus's own tools, from Debian's package ``prometheus``."""

import shutil
import subprocess

import pytest

PROMETHEUS = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")
needs_prometheus = pytest.mark.skipif(not (PROMETHEUS and PROMTOOL), reason="needs Debian's package prometheus")


def promtool(*arguments):
    """Run promtool, which must be content."""
    done = subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
