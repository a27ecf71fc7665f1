"""What the live page says of pools, from what their workers publish."""

import json
import os
import time

import pytest
from browser import scenes

from poolware.observe import Share
from poolware.web.dashboard.overview import overview


def look(directory, held_for=60.0):
    return json.loads(overview(directory, held_for))


@pytest.fixture
def told(tmp_path):
    """Have this process publish something; return what the page shows then."""

    def tell(*pools, alerts=(), at=None, **options):
        share = Share(tmp_path / "shared")
        share.publish(scenes.saying(pools, alerts, at))
        return look(share.directory, **options)

    return tell


def only(data):
    (pool,) = data["pools"]
    return pool


def test_a_healthy_pool(told):
    pool = only(told(scenes.pool("p")))
    assert (pool["level"], pool["advice"], pool["others"], pool["alerts"]) == ("healthy", "", [], [])
    assert pool["verdict"] == "Healthy: 2 in use, 6 ready, 99% reused."


VERDICTS = {
    "not used": (scenes.pool("p", in_use=0, rate=0), "healthy", "Healthy: not used yet."),
    "exhausted": (
        scenes.exhausted("p"),
        "critical",
        "Exhausted: everything is in use, and 14 requests wait, somebody for over 15 s now.",
    ),
    "one waits": (
        scenes.exhausted("p", waiting=1),
        "critical",
        "Exhausted: everything is in use, and 1 request waits, somebody for over 5 s now.",
    ),
    "waiting while more are made": (
        scenes.pool("p", "resource", in_use=2, idle=0, waiting=3),
        "warning",
        "3 requests wait, somebody for over 10 s now, until more are made or come back.",
    ),
    "nothing can be made": (
        scenes.pool("p", "resource", in_use=0, idle=0, waiting=3, counters={"creation_errors": 7}),
        "critical",
        "Nothing can be made, and 3 requests wait, somebody for over 10 s now: it has failed 7 times.",
    ),
    "at its limit": (
        scenes.pool("p", "resource", in_use=10, idle=0),
        "notice",
        "At its limit: 10 of 10 in use, and nobody waits yet.",
    ),
    "leak": (scenes.leak("p"), "warning", "A leak: 12 objects never came back, the oldest for over 3 min."),
    "leak of one": (
        scenes.leak("p", "resource", count=1),
        "warning",
        "A leak: 1 resource never came back, the oldest for over 3 min.",
    ),
    "climb": (
        scenes.pool("p", in_use=31, past=[1 + place // 2 for place in range(60)]),
        "warning",
        "It looks like a leak: in use rose from 1 to 31 in 4 min, and traffic did not.",
    ),
    "timeouts": (
        scenes.pool("p", "resource", counters={"timeouts": 4}),
        "critical",
        "4 requests gave up waiting in the last 5 min.",
    ),
    "escapes": (
        scenes.pool("p", counters={"escaped": 1}),
        "warning",
        "1 object escaped in the last 5 min: somebody held on after the release.",
    ),
    "quarantine": (
        scenes.pool("p", quarantined=3),
        "notice",
        "3 objects in quarantine, some for over 4 min: somebody still holds on.",
    ),
    "lost": (scenes.pool("p", counters={"lost": 2}), "notice", "2 objects were dropped unreleased since the start."),
    "little reuse": (
        scenes.pool("p", "buffer", hits=0.4),
        "notice",
        "Only 40% were reused in the last 5 min; the others had to be built.",
    ),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdicts(told, case):
    pool, level, verdict = VERDICTS[case]
    shown = only(told(pool))
    assert (shown["level"], shown["verdict"]) == (level, verdict)
    assert bool(shown["advice"]) == (level != "healthy")


def test_the_worst_comes_first_and_the_rest_is_said_too(told):
    shown = only(told(scenes.leak("p", "resource", count=5, waiting=3, max_size=5)))
    assert shown["verdict"].startswith("Exhausted")
    assert [other["says"].split(":")[0] for other in shown["others"]] == ["A leak"]


def test_what_is_held_on_purpose_is_no_leak(told):
    assert only(told(scenes.leak("p"), held_for=290.0))["level"] == "healthy"


def test_an_alert_is_shown_with_what_to_do(told):
    alerts = [scenes.alert("PoolwareHuge", "p", "object", 20_000), scenes.alert("PoolwareHuge", "q", "object", 1)]
    shown = only(told(scenes.pool("p"), alerts=alerts))
    assert shown["level"] == "warning"
    assert shown["verdict"] == "Objects that exist: 2e+04 (alert PoolwareHuge)."
    assert shown["advice"] == alerts[0]["advice"]
    assert shown["alerts"] == [alerts[0] | {"workers": [os.getpid()]}]


def test_an_alert_without_a_value(told):
    alert = scenes.alert("PoolwareRateSwing", "p", "object", None)
    assert only(told(scenes.pool("p"), alerts=[alert]))["level"] == "notice"


def test_the_worst_pool_comes_first_then_by_name(told):
    pools = [scenes.pool("b"), scenes.pool("a"), scenes.leak("z"), scenes.exhausted("y")]
    data = told(*pools)
    assert [pool["pool"] for pool in data["pools"]] == ["y", "z", "a", "b"]
    assert data["level"] == "critical"


def test_workers_are_added_up_and_told_apart(tmp_path):
    with scenes.workers(tmp_path / "shared", 3) as crew:
        for worker in crew[:2]:
            worker.say(scenes.pool("p", in_use=2))
        crew[2].say(scenes.leak("p"))
        data = look(tmp_path / "shared")
        assert [worker["pid"] for worker in data["workers"]] == sorted(worker.pid for worker in crew)
        shown = only(data)
        assert shown["figures"]["gauges"]["in_use"] == 2 + 2 + 12
        assert shown["figures"]["processes"] == 3
        assert {one["pid"]: one["in_use"] for one in shown["workers"]} == dict(
            zip([worker.pid for worker in crew], [2, 2, 12], strict=True)
        )
        assert shown["verdict"].startswith("A leak in 1 of 3 workers: 12 objects")
        crew[2].kill()
        assert only(look(tmp_path / "shared"))["level"] == "healthy"


def test_nobody_says_anything(tmp_path):
    data = look(tmp_path / "nobody")
    assert (data["pools"], data["workers"], data["level"]) == ([], [], "warning")
    (note,) = data["notes"]
    assert "start(share=Share()" in note["advice"]


def test_a_directory_that_others_may_write_to_is_not_read_and_that_is_said(tmp_path):
    tmp_path.chmod(0o777)
    data = look(tmp_path)
    assert data["level"] == "critical"
    (note,) = data["notes"]
    assert str(tmp_path) in note["advice"]
    assert "700" in note["advice"]


def test_a_worker_that_hangs(told):
    data = told(scenes.pool("p"), at=time.time() - 660)
    assert [note["says"] for note in data["notes"]] == [
        f"Worker {os.getpid()} has been silent for 11 min: it hangs, or gets no time."
    ]
    assert data["level"] == "warning"


def test_a_worker_whose_clock_is_ahead_has_spoken_now(told):
    data = told(scenes.pool("p"), at=time.time() + 3600)
    assert (data["notes"], data["workers"][0]["age"], only(data)["level"]) == ([], 0.0, "healthy")


@pytest.mark.parametrize(
    "broken",
    [
        {"pools": [{}]},
        {"pools": 5},
        {"pools": [None]},
        {"history": []},
        {"history": {"times": [1, "x"], "pools": {"p": {"acquired": [0, 0]}}}},
        {"alerts": [{}]},
        {"alerts": None},
        {"time": None},
        {"every": "often"},
        {"every": float("nan")},
    ],
    ids=str,
)
def test_what_a_worker_says_that_makes_no_sense_is_passed_over(tmp_path, broken, caplog):
    share = Share(tmp_path / "shared")
    share.publish(scenes.saying([scenes.pool("p")]) | broken)
    with scenes.workers(share.directory, 1) as (other,):
        other.say(scenes.pool("p"))
        data = look(share.directory)
    assert only(data)["figures"]["gauges"]["in_use"] == 2
    assert [worker["pid"] for worker in data["workers"]] == [other.pid]
    assert f"process {os.getpid()}" in caplog.text
    assert [note["says"] for note in data["notes"]] == [f"What worker {os.getpid()} says cannot be understood."]


def test_a_worker_that_died_in_the_middle_of_writing(tmp_path):
    share = Share(tmp_path / "shared")
    share.publish(scenes.saying([scenes.pool("p")]))
    (tmp_path / "shared" / "4194304-1.new").write_text('{"schema": 1, "pools": [')
    (tmp_path / "shared" / "4194304-1.json").write_text('{"schema": 1, "pools": [')
    assert only(look(share.directory))["level"] == "healthy"


def test_nothing_but_figures_names_and_words_is_in_it(told):
    """H15: no error message, command line, path or value; docs/live-page.md names every key."""
    data = told(scenes.exhausted("p"), alerts=[scenes.alert("PoolwareHuge", "p", "resource", 1)])
    assert data.keys() == {"schema", "time", "level", "notes", "workers", "pools"}
    assert data["workers"][0].keys() == {"pid", "age", "every", "pools"}
    assert only(data).keys() == {
        "pool", "kind", "level", "verdict", "advice", "others", "alerts", "figures", "lately", "history", "workers",
    }  # fmt: skip
    assert only(data)["history"].keys() == {"ages", "in_use", "idle", "quarantined", "waiting"}
    assert only(data)["workers"][0].keys() == {"pid", "in_use", "idle", "quarantined", "waiting"}
