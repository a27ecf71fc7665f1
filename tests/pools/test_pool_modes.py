"""POOLWARE_MODE: off reuses nothing and wipes all the same; debug also says who acquired and who released."""

import logging
import os
import subprocess
import sys

import pytest
from memories import plain
from pool_samples import makers, tool_pool

from poolware import BadOption, BufferPool, Context, ContextReleased, ObjectPool, SecretField, field, secret


class Job(Context):
    name: str = ""
    rows: list[int] = field(factory=list)
    token: SecretField = secret()


@pytest.fixture(params=["off", "debug"])
def mode(request, monkeypatch):
    monkeypatch.setenv("POOLWARE_MODE", request.param)
    return request.param


MAKE = makers(Job)


@pytest.mark.parametrize("kind", MAKE)
def test_nothing_is_reused(mode, kind):
    pool = MAKE[kind](prewarm=3)
    for _ in range(3):
        held = [pool.acquire()]
        pool.release(held.pop())
    stats = pool.get_stats()
    assert (stats.created, stats.misses, stats.hits, stats.idle, stats.dropped) == (3, 3, 0, 0, 3)
    assert (stats.acquired, stats.released, stats.in_use) == (3, 3, 0)


@pytest.mark.parametrize("held", [False, True])
def test_wiping_is_still_done(mode, held):
    """Invariant 6: the same API and the same wiping."""
    pool = ObjectPool(Job)
    job = pool.acquire()
    job.token = "geheim"
    token, memory = job.token, job.token._memory.obj
    also = [job] if held else []
    pool.release(job)
    assert bytes(memory) == bytes(len(memory))
    assert repr(token) == "<Secret released>"
    del also


def test_reset_is_still_called(mode):
    resets = []
    pool = ObjectPool(object, reset=resets.append)
    pool.release(pool.acquire())
    assert len(resets) == 1


def test_held_context_is_sealed(mode):
    """H06."""
    pool = ObjectPool(Job)
    job = pool.acquire()
    pool.release(job)
    with pytest.raises(ContextReleased):
        job.name = "late"


@pytest.mark.parametrize("kind", MAKE)
def test_second_release_raises(mode, kind):
    """H12."""
    pool = MAKE[kind]()
    obj = pool.acquire()
    pool.release(obj)
    with pytest.raises(RuntimeError):
        pool.release(obj)


@plain  # the memory scan looks at what the other drops
def test_buffers_are_wiped_and_dropped(mode):
    """H09."""
    pool = BufferPool()
    buffer = pool.acquire(10)
    buffer.write(b"geheim")
    storage = buffer._memory.obj
    buffer.release()
    assert bytes(storage) == bytes(1024)
    stats = pool.get_stats()
    assert (stats.idle, stats.dropped, stats.in_use) == (0, 1, 0)
    held = pool.acquire(10)
    view = held.view()
    view[:6] = b"geheim"
    held.release()
    assert bytes(view[:6]) == b"geheim"
    storage = next(iter(pool._store._quarantine.values()))[0]
    del view
    assert bytes(storage) == bytes(1024)
    assert pool.get_stats().dropped == 2


def test_forgotten_objects_do_not_pile_up(mode):
    """H30: switching reuse off must not turn a forgotten release into a leak."""
    pool = ObjectPool(Job)
    for _ in range(300):
        pool.acquire()
    assert len(pool._kind.lent) <= 130


@pytest.mark.parametrize("value", ["", "yes", "0", "on,off"])
def test_unknown_mode_is_refused(monkeypatch, value):
    """H40: the message names the variable and what it takes."""
    monkeypatch.setenv("POOLWARE_MODE", value)
    with pytest.raises(BadOption, match=rf"POOLWARE_MODE='{value}': it takes 'on', 'off' or 'debug'"):
        ObjectPool(Job)


@pytest.mark.parametrize("value", ["ON", " off ", "Debug"])
def test_spelling_of_the_mode_does_not_matter(monkeypatch, value):
    monkeypatch.setenv("POOLWARE_MODE", value)
    assert ObjectPool(Job).acquire().name == ""


APPLICATION = """
from poolware import Context, ContextReleased, ObjectPool, UndeclaredField

class Job(Context):
    name: str = ""

def make_job(pool):
    return pool.acquire()

def drop_job(pool, job):
    pool.release(job)

pool = ObjectPool(Job)
job = make_job(pool)
for use in (lambda: setattr(job, "nmae", "x"), lambda: job.nmae):
    try:
        use()
    except UndeclaredField as error:
        assert isinstance(error, AttributeError)
        print("undeclared:", error)
job.name = "kept"
drop_job(pool, job)
try:
    job.name
except ContextReleased as error:
    print("released:", error)
"""


@pytest.mark.parametrize("folder", ["app", "poolware"])
def test_debug_says_what_happened_where(tmp_path, folder):
    """Undeclared names with the list of fields; after the release, who acquired and who released.

    Also in a project folder that is called poolware, as a checkout of poolware itself is.
    """
    script = tmp_path / folder / "shop.py"
    script.parent.mkdir()
    script.write_text(APPLICATION)
    environment = {**os.environ, "POOLWARE_MODE": "debug"}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    undeclared, released = done.stdout.split("released:")
    assert undeclared.count("undeclared: Job has no field 'nmae'; it has name. Declare it: nmae: … = None") == 2
    acquired_at, released_at = released.split("Acquired at:")[1].split("Released at:")
    assert f'File "{script}", line 8, in make_job' in acquired_at
    assert f'File "{script}", line 11, in drop_job' in released_at
    assert "pools" + os.sep + "objects.py" not in released


def test_giving_back_by_hand_what_was_borrowed_is_no_error(mode, caplog):
    """As when reuse is on."""
    tools, jobs = tool_pool(), ObjectPool(Job)
    job = jobs.acquire()
    tools.release(job.borrow(tools))
    jobs.release(job)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
