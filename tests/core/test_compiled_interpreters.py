"""The compiled core at the edges of an interpreter: its end, a second import, another interpreter beside it."""

import os
import subprocess
import sys

import pytest
from twins import COMPILED

pytestmark = COMPILED

USING = """
from poolware import Context, Lifecycle, ObjectPool, RequestContext, field
from poolware._core.core import CORE

class Job(Context):
    rows: list = field(factory=list)

pool, lifecycle = ObjectPool(Job), Lifecycle(RequestContext)
scope = {"type": "http"}
request = lifecycle.begin(scope)
"""


def said(program, *options, wanted="compiled"):
    env = {**os.environ, "POOLWARE_CORE": wanted}
    command = [sys.executable, *options, "-c", program]
    run = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout.split()


ENDINGS = {
    "lent and at rest": "held = [pool.acquire() for _ in range(3)]\npool.release(held.pop())",
    "sealed": "held = pool.acquire()\npool.release(held)",
    "in a cycle with the pool": "job = pool.acquire()\njob.rows.append((pool, job))\npool.prewarm(3)",
    "released by a finalizer at the end": (
        "class Late:\n    def __init__(self): self.job = pool.acquire(); self.pool = pool\n"
        "    def __del__(self): self.pool.release(self.job); print('late')\nlate = Late()"
    ),
    "finished by a finalizer at the end": (
        "class Late:\n    finish = lifecycle.finish\n    scope = scope\n"
        "    def __del__(self): self.finish(self.scope); print('late')\nlate = Late()\nlate.me = late"
    ),
    "a thread in the middle": (
        "import threading, time\n"
        "def work():\n    while True: pool.release(pool.acquire())\n"
        "threading.Thread(target=work, daemon=True).start()\ntime.sleep(0.05)"
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_interpreter_ends_in_silence(ending):
    """H35: whatever is lent, at rest or held."""
    words = said(f"{USING}\n{ENDINGS[ending]}\nprint(CORE)", "-X", "dev")
    assert words[0] == "compiled"


def test_imported_twice_the_first_goes_on():
    program = f"""{USING}
import sys
from poolware._core import compiled
del sys.modules["poolware._core.compiled"]
del sys.modules["poolware._core"].compiled
import gc, importlib
second = importlib.import_module("poolware._core.compiled")
assert second is not compiled
assert second.Recyclable is not compiled.Recyclable
pool.release(pool.acquire())
del request
lifecycle.finish(scope)
assert len(pool._idle) == len(lifecycle.pool._idle) == 1
try:
    second.Store(Job, Job.__poolware_plan__.members["_home"], False)
except TypeError as error:
    print("refused")
del second, sys.modules["poolware._core.compiled"]
gc.collect()
pool.release(pool.acquire())
"""
    assert said(program, "-X", "dev") == ["refused"]


@pytest.mark.skipif(sys.version_info[:2] == (3, 12), reason="datetime itself fails in a second interpreter")
def test_another_interpreter_has_the_plain_twin():
    """Where it would share types with the main one; mod_wsgi makes such interpreters."""
    program = f"""{USING}
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
other = interpreters.create()
failed = interpreters.run_string(other, {USING + "print(CORE, flush=True)"!r})
assert failed is None, failed
interpreters.destroy(other)
pool.release(pool.acquire())
print(CORE)
"""
    assert said(program, wanted="") == ["python", "compiled"]
