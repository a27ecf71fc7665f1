"""Each protection of the compiled core, taken out of its C text in turn, turns a test red."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from native import REMOVALS, Removal
from native_build import build, compiler, copied, environment
from plugins import NO_OTHER_PLUGINS, PLUGINS

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(compiler() is None, reason="there is no C compiler")
Run = subprocess.CompletedProcess[str]


def without(removal: Removal, folder: Path) -> Run:
    """Build the core without the protection, and run its test on that."""
    removal.apply(copied(folder))
    build(folder, "-O0", "-w")
    command = [sys.executable, "-m", "pytest", *PLUGINS, "-x", "-q", removal.test]
    env = environment(folder) | NO_OTHER_PLUGINS
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Removal], Future[Run]]]:
    """All of them at once, as many as there are processors; in a worker of several only those that it is given."""
    futures: dict[str, Future[Run]] = {}
    with ThreadPoolExecutor(os.cpu_count()) as executor:

        def run_of(removal: Removal) -> Future[Run]:
            for one in [removal] if os.environ.get("PYTEST_XDIST_WORKER") else REMOVALS:
                if one.name not in futures:
                    folder = tmp_path_factory.mktemp("native") / "src"
                    futures[one.name] = executor.submit(without, one, folder)
            return futures[removal.name]

        yield run_of
        executor.shutdown(cancel_futures=True)


@pytest.mark.parametrize("removal", REMOVALS, ids=lambda removal: removal.name)
def test_its_removal_is_noticed(removal, run_of):
    """The suite shows that the same test is green with it. A crash is noticed too."""
    run = run_of(removal).result()
    assert run.returncode == pytest.ExitCode.TESTS_FAILED or run.returncode < 0, run.stdout[-2000:] + run.stderr[-2000:]
    assert re.search(r"\b1 failed\b", run.stdout) or "Fatal Python error" in run.stderr
