"""The heartbeat: one thread for everything periodic."""

import gc
import importlib.util
import os
import subprocess
import sys
import threading

import pytest

from poolware.pools.heartbeat import Heartbeat

SOON = 0.005


@pytest.fixture
def heart():
    heart = Heartbeat()
    yield heart
    heart.stop()


class Task:
    """Runs until it has run often enough."""

    def __init__(self, times=1, error=None):
        self.times = times
        self.error = error
        self.done = threading.Event()
        self.threads = set()

    def run(self):
        self.threads.add(threading.current_thread())
        self.times -= 1
        if self.times <= 0:
            self.done.set()
        if self.error is not None:
            raise self.error


def test_there_is_no_thread_before_the_first_beat(heart):
    assert not heart.running


def test_everything_runs_on_one_daemon_thread(heart):
    tasks = [Task(3), Task(3)]
    for task in tasks:
        heart.every(SOON, task.run)
    for task in tasks:
        assert task.done.wait(10)
    (thread,) = tasks[0].threads | tasks[1].threads
    assert thread.daemon


@pytest.mark.parametrize("error", [ValueError("a bug"), SystemExit(), KeyboardInterrupt()], ids=repr)
def test_a_raising_task_runs_again_and_stops_nobody(heart, caplog, error):
    """H39: it is logged, and the others go on."""
    failing, other = Task(3, error), Task(3)
    heart.every(SOON, failing.run)
    heart.every(SOON, other.run)
    assert failing.done.wait(10)
    assert other.done.wait(10)
    assert "Task.run failed" in caplog.text


def test_what_may_block_runs_apart_and_never_twice_at_once(heart):
    let_go, entered = threading.Event(), threading.Semaphore(0)

    def block():
        entered.release()
        let_go.wait(10)

    other = Task(5)
    heart.every(SOON, block, apart=True)
    assert entered.acquire(timeout=10)
    heart.every(SOON, other.run)
    assert other.done.wait(10)
    assert not entered.acquire(blocking=False)
    let_go.set()
    assert entered.acquire(timeout=10)


def test_a_stopped_beat_runs_no_more_and_the_thread_ends_with_the_last(heart):
    task = Task()
    beat = heart.every(SOON, task.run)
    thread = heart._thread
    assert task.done.wait(10)
    beat.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert not heart.running


def test_a_beat_does_not_keep_the_object_alive_whose_method_it_is(heart):
    task = Task()
    done = task.done
    heart.every(SOON, task.run)
    assert done.wait(10)
    thread = heart._thread
    del task
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


def test_a_period_longer_than_a_thread_can_wait_stops_nothing(heart):
    heart.every(1e300, print)
    thread = heart._thread
    task = Task(3)
    heart.every(SOON, task.run)
    assert task.done.wait(10)
    assert heart._thread is thread


def test_a_stopped_heartbeat_goes_on_with_the_next_beat(heart):
    first, second = Task(10**9), Task()
    heart.every(SOON, first.run)
    heart.stop()
    assert not heart.running
    first.times = 1
    heart.every(SOON, second.run)
    assert second.done.wait(10)
    assert first.done.wait(10)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_has_a_heartbeat_of_its_own(heart):
    """H26: the parent's thread does not exist there."""
    ours, theirs = os.pipe()
    parent = os.getpid()

    def tell():
        if os.getpid() != parent:
            os.write(theirs, b"alive")

    heart.every(SOON, tell)
    child = os.fork()
    if child == 0:
        threading.Event().wait(10)
        os._exit(1)
    try:
        assert os.read(ours, 5) == b"alive"
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(ours)
        os.close(theirs)


def test_it_keeps_no_process_alive():
    program = "from poolware.pools.heartbeat import heartbeat; heartbeat.every(0.001, print); print('end')"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert "end" in ended.stdout
    assert ended.stderr == ""


AFTER_GEVENT = """
from poolware.pools.heartbeat import heartbeat
import gevent.monkey
gevent.monkey.patch_all()
import threading
beats = [threading.Event() for _ in range(3)]
for beat in beats:
    heartbeat.every(0.01, beat.set)
assert all(beat.wait(20) for beat in beats)
heartbeat.stop()
"""


@pytest.mark.skipif(importlib.util.find_spec("gevent") is None, reason="no gevent here")
def test_where_gevent_comes_later():
    """H34: a gunicorn that preloads, or reads hooks from here, imports poolware before gevent replaces threads."""
    done = subprocess.run([sys.executable, "-c", AFTER_GEVENT], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
