"""POOLWARE_CORE: which twin of the hot path a process uses."""

import os
import subprocess
import sys

import pytest
from twins import COMPILED

PROGRAM = """
import sys
{change}
from poolware import ObjectPool, Context
from poolware._core.core import CORE
Job = type(Context)("Job", (Context,), {{}})
pool = ObjectPool(Job)
pool.release(pool.acquire())
print(CORE, type(pool._idle).__name__, len(pool._idle))
"""
BLOCKED = "sys.modules['poolware._core.compiled'] = None"


def started(wanted, change=""):
    env = {name: value for name, value in os.environ.items() if name not in {"POOLWARE_CORE", "POOLWARE_MODE"}}
    env |= {"POOLWARE_CORE": wanted} if wanted is not None else {}
    program = PROGRAM.format(change=change)
    return subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)


def test_forced_where_it_is_missing_it_says_what_to_do():
    run = started("compiled", BLOCKED)
    assert run.returncode == 1
    last = run.stderr.splitlines()[-1]
    assert last.startswith("poolware.errors.ConfigurationError: POOLWARE_CORE=compiled: there is none here")
    assert "install poolware where there is a C compiler" in last


@pytest.mark.parametrize("wanted", ["cython", "1", "compiled,python"])
def test_any_other_value_is_refused(wanted):
    run = started(wanted)
    assert run.returncode == 1
    last = run.stderr.splitlines()[-1]
    assert last.startswith(f"poolware.errors.BadOption: POOLWARE_CORE={wanted!r}: it takes 'compiled' or 'python'")


@pytest.mark.parametrize("wanted", ["python", " Python "])
def test_the_plain_twin_can_be_forced(wanted):
    assert started(wanted).stdout.split() == ["python", "list", "1"]


@pytest.mark.parametrize("wanted", [None, "", "python"])
def test_where_the_compiled_is_missing_the_plain_twin_takes_over(wanted):
    assert started(wanted, BLOCKED).stdout.split() == ["python", "list", "1"]


@COMPILED
@pytest.mark.parametrize("wanted", [None, "", "compiled", " COMPILED "])
def test_the_compiled_twin_is_taken_where_there_is_one(wanted):
    assert started(wanted).stdout.split() == ["compiled", "Store", "1"]
