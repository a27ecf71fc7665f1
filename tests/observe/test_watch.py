"""Looking at the pools every so often: what fails harms nothing else, and the end is orderly."""

import gc
import os
import subprocess
import sys
import threading

import pytest

from poolware import BadOption, ObjectPool, ResourcePool
from poolware.observe import Alerts, Share, Watch, read_all, watch
from poolware.observe.history import History
from poolware.observe.snapshot import PoolSnapshot

NEVER = 3600.0


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "shared"


@pytest.fixture(autouse=True)
def nothing_goes_on():
    yield
    watch.stop()


def test_it_looks_and_passes_on_what_it_saw(folder):
    pool = ObjectPool(dict, reset=dict.clear, name="watched")
    enough, seen = threading.Event(), []

    def export(snapshots):
        seen.append(snapshots)
        if len(seen) >= 2:
            enough.set()

    with pool.lease():
        watch.start(every=0.01, share=Share(folder), exporters=[export])
        assert enough.wait(20)
    (said,) = read_all(folder)
    assert said["every"] == 0.01
    (published,) = (one for one in said["pools"] if one["pool"] == "watched")
    assert published["gauges"]["in_use"] == 1
    assert said["history"]["pools"]["watched"]["in_use"][0] == 1


def test_the_first_beat_may_come_before_it_is_made(monkeypatch):
    """It waits for that."""
    every, looked = watch.heartbeat.every, threading.Event()

    def every_and_at_once(period, task, *, apart):
        beat = every(period, task, apart=apart)
        beat.run()
        return beat

    monkeypatch.setattr(watch.heartbeat, "every", every_and_at_once)
    looking = Watch(every=NEVER, exporters=[lambda _: looked.set()])
    assert looked.wait(20)
    looking.stop()


def test_what_fails_keeps_nothing_else_from_being_done(caplog, folder):
    seen = []
    looking = Watch(every=NEVER, share=Share(folder), exporters=[lambda _: 1 / 0, seen.append])
    folder.rmdir()
    folder.write_text("in the way")
    looking.look()
    looking.stop()
    assert len(seen) == 2
    assert caplog.text.count("failed; it is tried again every 3600 s") == 2, "said once of each"


def test_what_fails_again_is_said_again(caplog):
    answers = iter([1, 0, 0, 1, 0])
    looking = Watch(every=NEVER, exporters=[lambda _: 1 / next(answers)])
    for _ in range(5):
        looking.look()
    assert caplog.text.count("failed; it is tried") == 2


def test_what_fires_is_published(folder):
    alerts = Alerts([], PoolwareHuge={"threshold": 2, "back_at": 2, "lasts": 0})
    pool = ObjectPool(dict, reset=dict.clear, prewarm=3, name="huge")
    looking = Watch(every=NEVER, share=Share(folder), alerts=alerts)
    looking.look()
    (said,) = read_all(folder)
    (alert,) = (alert for alert in said["alerts"] if alert["pool"] == pool.name)
    assert (alert["rule"], alert["state"], alert["value"]) == ("PoolwareHuge", "firing", 3)
    assert alert["advice"].endswith(".")
    looking.stop()


def test_at_the_end_it_looks_a_last_time_and_withdraws(folder):
    pool, seen = ObjectPool(dict, reset=dict.clear, name="at the end"), []
    watch.start(every=NEVER, share=Share(folder), exporters=[seen.append])
    with pool.lease():
        pass
    watch.stop()
    watch.stop()
    ((last,),) = ([one for one in snapshots if one.pool == "at the end"] for snapshots in seen)
    assert last.counters["released"] == 1
    assert read_all(folder) == []
    assert watch.current() is None


def test_a_second_start_replaces_the_first(folder):
    first = watch.start(every=NEVER, share=Share(folder))
    second = watch.start(every=NEVER)
    assert watch.current() is second is not first
    assert first._beat is None


def test_one_that_nobody_keeps_ends():
    ended, seen = threading.Event(), []

    class Exporter:
        def __call__(self, snapshots):
            seen.append(snapshots)

        def __del__(self):
            ended.set()

    looking = Watch(every=0.01, exporters=[Exporter()])
    while not seen:
        ended.wait(0.001)
    del looking
    while not ended.is_set():
        gc.collect()
        ended.wait(0.01)


def test_a_look_that_hangs_does_not_keep_the_process_from_ending(monkeypatch, caplog):
    begun, release = threading.Event(), threading.Event()

    def hang(_snapshots):
        begun.set()
        release.wait()

    monkeypatch.setattr(watch, "_PATIENCE", 0.01)
    watch.start(every=0.01, exporters=[hang])
    assert begun.wait(20)
    watch.stop()
    release.set()
    assert "the look before has not ended" in caplog.text


def test_what_the_watch_is_given_ends_with_the_process(folder):
    """Without a word: a process that has begun to watch ends as any other, and leaves nothing."""
    code = (
        "import sys; from poolware import *; from poolware.observe import *;"
        "pool = ObjectPool(dict, reset=None, name='p');"
        "start(every=0.01, share=Share(sys.argv[1]), alerts=Alerts(), exporters=[lambda seen: None])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_watches_its_own_pools(folder):
    """H26: it publishes beside its parent, has no alerts of its parent's, and counts from the beginning."""
    pool = ObjectPool(dict, reset=dict.clear, name="forked")
    rule = {"threshold": 0, "back_at": 0, "lasts": 0}
    with pool.lease():
        looking = watch.start(every=NEVER, share=Share(folder), alerts=Alerts([], PoolwareHuge=rule))
        looking.look()
        assert "forked" in {alert.pool for alert in looking.alerts.firing}
        child = os.fork()
        if not child:
            quiet = not looking.alerts.firing and not looking.latest
            looking.look()
            said = {one["process"]["pid"]: one for one in read_all(folder)}
            (mine,) = (one for one in said[os.getpid()]["pools"] if one["pool"] == "forked")
            fresh = mine["counters"]["acquired"] == 0 and len(said[os.getpid()]["history"]["times"]) == 1
            watch.stop()
            os._exit(0 if quiet and fresh and len(said) == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [one["process"]["pid"] for one in read_all(folder)] == [os.getpid()]


@pytest.mark.parametrize("option", ["every", "history"])
@pytest.mark.parametrize("value", [0, -1, float("inf"), "2", None])
def test_what_it_does_not_take(option, value):
    """H40"""
    with pytest.raises(BadOption, match="above 0"):
        Watch(**{option: value})


def test_errors_of_factories_are_not_published(folder):
    """H15: they may tell a password."""

    def factory():
        raise OSError("password=hunter2")

    pool = ResourcePool(factory, min_size=1, name="failing")
    with pytest.raises(Exception, match="nothing came free"):
        pool.acquire(timeout=0.05)
    watch.start(every=NEVER, share=Share(folder)).look()
    (file,) = folder.iterdir()
    assert '"failing"' in file.read_text()
    assert "hunter2" not in file.read_text()
    pool.close()


# --- the last minutes -------------------------------------------------------------------------------------------------


def point(in_use, name="p"):
    return PoolSnapshot(name, "object", {}, {"in_use": in_use, "idle": 0}, {"acquired": 10 * in_use})


def test_history_keeps_a_point_a_step_and_no_more_than_sixty():
    history = History(60.0)
    for second in range(1000, 1200):
        history.add(second, [point(second)])
        history.add(second + 0.5, [point(-1)])
    kept = history.as_dict()
    assert kept["times"] == list(range(1140, 1200))
    assert kept["pools"]["p"]["in_use"] == kept["times"]
    assert kept["pools"]["p"]["acquired"][-1] == 11990


def test_history_goes_on_when_the_clock_is_set_back():
    history = History(60.0)
    for second in (5000, 1000, 1001):
        history.add(second, [point(second)])
    assert history.as_dict()["times"] == [5000, 1000, 1001]


def test_history_of_a_pool_that_came_later_or_went():
    history = History(60.0)
    history.add(0, [point(1)])
    history.add(1, [point(2), point(5, "q")])
    history.add(2, [point(6, "q")])
    pools = history.as_dict()["pools"]
    assert (pools["p"]["in_use"], pools["q"]["in_use"]) == ([1, 2, None], [None, 5, 6])
    history.clear()
    assert history.as_dict() == {"times": [], "pools": {}}
