"""Whole comparisons, tiny ones, on real servers with real load."""

import json
import signal
import subprocess
import sys

import psutil
import pytest

from poolware_compare.arms import Arm
from poolware_compare.driver.client import driving
from poolware_compare.driver.order import Order
from poolware_compare.errors import ComparisonError
from poolware_compare.latency import merged
from poolware_compare.launch import Launch
from poolware_compare.servers import serving
from poolware_compare.usage import Usage, usage

OWN = """
import os

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("no lifespan")
    if scope["path"] == "/die":
        os._exit(3)
    body = os.environ["POOLWARE_MODE"].encode() if scope["path"] == "/mode" else b"right"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
"""
VISITORS = """
from locust import FastHttpUser, events, tag, task

heard = []

@events.test_start.add_listener
def on_start(**_):
    heard.append("start")

class Visitor(FastHttpUser):
    @tag("right")
    @task
    def right(self):
        assert heard, "a Locust file's own listeners have to hear"
        self.client.get("/")

    @tag("wrong")
    @task
    def wrong(self):
        with self.client.get("/", catch_response=True) as response:
            response.failure("not what was asked for")

    @tag("die")
    @task
    def die(self):
        self.client.get("/die")
"""


class Comparison:
    """A comparison in a directory of its own."""

    def __init__(self, directory):
        self.directory = directory
        (directory / "own.py").write_text(OWN)
        (directory / "visitors.py").write_text(VISITORS)

    def command(self, *arguments):
        return [sys.executable, "-m", "poolware_compare", "--out", str(self.directory / "out"), *arguments]

    def run(self, *arguments):
        return subprocess.run(self.command(*arguments), cwd=self.directory, capture_output=True, text=True, check=False)

    def results(self):
        return json.loads((self.directory / "out" / "results.json").read_text())

    def left_over(self):
        """Processes that were started from the directory and are still there."""
        return [
            process
            for process in psutil.process_iter(["environ"])
            if (process.info["environ"] or {}).get("PYTHONPATH", "").startswith(str(self.directory))
        ]


@pytest.fixture
def comparison(tmp_path):
    made = Comparison(tmp_path)
    yield made
    assert made.left_over() == []


def test_comparison(comparison):
    """An application that comes along, in two arms, at a rate: figures, reports, nothing left behind."""
    run = comparison.run(
        *("--scenario", "compression", "--arms", "plain,on"),
        *("--rounds", "2", "--seconds", "0.5", "--users", "2", "--rate", "40"),
    )
    assert run.returncode == 0, run.stderr
    results = comparison.results()
    assert [case["scenario"] for case in results["cases"]] == ["compression"]
    assert results["controls"]["starlette"]["arm"] == "plain"
    for case in results["cases"]:
        for arm in case["arms"].values():
            assert 0 < arm["requests"] <= 60, "no more leave than should, however quick the server is"
            assert arm["cpu_us_per_request"]["median"] > 0
            assert arm["latency_ms"]["p50"] <= arm["latency_ms"]["max"]
        assert set(case["ratios"]) == {"plain/on", "on/plain"}
    pools = results["cases"][0]["arms"]["on"]["pools"]
    assert pools["compressors"]["hits"] > 0
    assert pools["compressors"]["in_use"] == 0
    assert "starlette on uvicorn" in run.stdout
    assert "compression" in (comparison.directory / "out" / "report.md").read_text()
    assert "<svg" in (comparison.directory / "out" / "report.html").read_text()


@pytest.fixture
def own_server(comparison, monkeypatch):
    monkeypatch.chdir(comparison.directory)
    with serving([Arm("on", "own:app", {"POOLWARE_MODE": "on"})], "uvicorn") as (server,):
        yield server


def test_locust_master_and_workers(comparison, own_server):
    """Rounds by two workers are added up, one after the other; a failure in one of them ends a round."""
    visitors = str(comparison.directory / "visitors.py")

    def order(tag):
        return Order(visitors, [tag], own_server.host, users=4, seconds=0.3, rate=100.0, shape="constant")

    with driving(2) as driver:
        seen = [driver.run(order("right")) for _ in range(2)]
        assert len(driver.child.family()) == 3
        with pytest.raises(ComparisonError, match="not what was asked for"):
            driver.run(order("wrong"))
        with pytest.raises(ComparisonError, match="no task tagged none"):
            driver.run(order("none"))
    for each in seen:
        assert 0 < each.requests <= 90
        assert merged([each.histogram]).get_total_count() == each.requests


def test_server_that_dies(comparison):
    run = comparison.run("--app", "own:app", "--locustfile", "visitors.py", "--tags", "die")
    assert run.returncode == 1
    assert "the server of arm 'off' (own:app on uvicorn) died" in run.stderr
    assert "Traceback" not in run.stderr


def test_application_that_does_not_start(comparison, monkeypatch):
    monkeypatch.chdir(comparison.directory)
    with (
        pytest.raises(ComparisonError, match="did not start") as raised,
        serving([Arm("on", "nothing:app")], "uvicorn"),
    ):
        pass
    assert "No module named 'nothing'" in str(raised.value)


def test_interruption_leaves_a_valid_report(comparison):
    """The modes are the arms of an application of one's own."""
    arguments = comparison.command(
        *("--app", "own:app", "--locustfile", "visitors.py", "--tags", "right", "--rounds", "1000", "--users", "2")
    )
    with subprocess.Popen(
        arguments, cwd=comparison.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert any("A/A control" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    assert process.returncode == 130
    assert comparison.results()["partial"] is True
    assert comparison.results()["settings"]["arms"] == ["off", "on"]
    assert "PARTIAL" in out
    assert "PARTIAL" in (comparison.directory / "out" / "report.html").read_text()


def test_soak_of_every_ending(comparison):
    run = comparison.run("--shape", "soak", "--seconds", "2", "--rate", "60")
    assert run.returncode == 0, run.stdout + run.stderr
    soak = comparison.results()["soak"]
    assert soak["findings"] == []
    assert soak["in_use_after"] == 0
    assert max(sample["quarantined"] for sample in soak["samples"]) > 0, "contexts that were kept"


def test_locust_files_run_alone():
    """Each has tasks, each task a tag; each shape is one that Locust finds in its file."""
    program = """
from pathlib import Path
from locust.util.load_locustfile import load_locustfile
import poolware_compare
from poolware_compare.driver.users import loaded
from poolware_compare.scenarios import BY_NAME
for scenario in BY_NAME.values():
    for user in loaded(scenario.locustfile).values():
        assert user.tasks, scenario
        tags = set().union(*(task.locust_tag_set for task in user.tasks))
        assert set(scenario.tags) <= tags, (scenario, tags)
for name in ("ramp", "step", "spike", "soak"):
    path = Path(poolware_compare.__file__).parent / "shapes" / f"{name}.py"
    (shape,) = load_locustfile(str(path))[1]
    shape.users, shape.seconds = 40, 10
    shape.get_run_time = lambda: 9.9
    assert 1 <= shape.tick()[0] <= 40
    shape.get_run_time = lambda: 10.1
    assert shape.tick() is None
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_revision_that_is_not_what_would_be_served(comparison, monkeypatch):
    """An application that is installed elsewhere must not be compared with itself."""
    elsewhere = Arm("old", "json:loads", directory=str(comparison.directory))
    monkeypatch.chdir(comparison.directory)
    with pytest.raises(ComparisonError, match="not of the revision"), serving([elsewhere], "uvicorn"):
        pass


def test_processes_that_come_and_go_take_nothing_from_the_figures():
    before, after = Usage({1: 100, 2: 50}, {1: 5, 2: 1}, 0), Usage({1: 130, 3: 7}, {1: 6, 3: 2}, 0)
    assert (after.cpu_ns_since(before), after.minor_faults_since(before)) == (37, 3)
    assert usage([2**22 + 1]) == Usage({}, {}, 0)


def test_server_that_is_not_installed():
    with pytest.raises(ComparisonError, match="'shiny' needs nothing_of_the_kind: pip install"):
        Launch(("nothing_of_the_kind",), lambda _place, _workers: []).check("shiny")


def test_driver_outlives_a_locust_file_that_exits_and_says_when_it_dies(tmp_path):
    (tmp_path / "leaving.py").write_text("raise SystemExit(7)")
    order = Order(str(tmp_path / "leaving.py"), [], "http://127.0.0.1:1", 1, 0.1, None, "constant")
    with driving() as driver:
        with pytest.raises(ComparisonError, match=r"leaving\.py': SystemExit\(7\)"):
            driver.run(order)
        driver.child.process.kill()
        driver.child.process.wait()
        with pytest.raises(ComparisonError, match="the Locust driver died"):
            driver.run(order)
