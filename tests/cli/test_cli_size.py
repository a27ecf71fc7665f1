"""poolware size."""

import json

import pytest

from poolware.sizing.live import parse


def test_the_examples_of_the_literature(run_json):
    pool = run_json("size --rps 500 --hold-ms 20 --peak 2.0 --idle 0.5")["pool"]
    assert pool == {"in_use": 10, "minimum": 5, "initial": 13, "maximum": 20}
    assert run_json("size --rps 1000 --hold-ms 50 --peak 1.5")["pool"]["maximum"] == 75
    share = run_json("size --connections 100 --servers 8 --reserved 4")["share"]
    assert share == {"per_process": 12, "processes": 8, "used": 96, "spare": 0}


def test_words_instead_of_json(run):
    said = run("size --rps 500 --hold-ms 20 --peak 2.0").stdout
    assert [line.split()[:2] for line in said.splitlines()[1:4]] == [
        ["minimum", "5"],
        ["initial", "13"],
        ["maximum", "20"],
    ]
    assert "in use on average  10" in said
    assert "0.37%" in said


def test_the_load_is_shared_among_processes(run_json):
    """Eight processes with an eighth of the load and twelve connections each; or one proxy for all."""
    found = run_json("size --rps 4000 --hold-ms 20 --peak 2 --connections 100 --servers 4 --workers 2 --reserved 4")
    assert found["pool"]["in_use"] == 10
    assert found["waiting"]["size"] == found["share"]["per_process"] == 12
    assert found["shared"]["size"] == 96
    assert found["shared"]["mean_s"] < found["waiting"]["mean_s"]


def test_the_smallest_pool_for_a_wait(run_json):
    found = run_json("size --rps 500 --hold-ms 20 --p99-ms 5")
    assert found["waiting"]["size"] == 17
    assert found["waiting"]["p99_s"] <= 0.005


def test_a_wait_without_end_is_null_in_json_and_said_in_words(run, run_json):
    line = "size --rps 500 --hold-ms 20 --size 9"
    assert run_json(line)["waiting"]["mean_s"] is None
    said = run(line).stdout
    assert "without end" in said
    assert "its queue grows without end" in said


def test_remarks(run):
    said = run("size --rps 4000 --hold-ms 20 --connections 50 --servers 4 --db-cores 8").stdout
    assert "connections that keep the database busy  17" in said
    assert "The limit allows less than the peak needs" in said
    assert "Full pools open more connections than keep the database busy" in said


def test_a_simulation(run, run_json, tmp_path):
    line = "size --rps 500 --hold-ms 20 --size 12 --simulate 20000 --create-ms 2 --object-bytes 1MiB"
    plot = tmp_path / "pool.svg"
    found = run_json(line, "--plot", str(plot))["simulation"]
    assert found["requests"] == 20_000
    assert 0 < found["waited"] < 1
    assert found["bytes_peak"] == 12 << 20
    assert len(found["timeline"]["seconds"]) == len(found["timeline"]["objects"]) > 100
    assert plot.read_text().startswith("<?xml")
    said = run(line).stdout
    assert "simulated" in said
    assert "12 MiB at the most" in said


def test_a_fleet(run_json):
    line = "size --rps 2000 --hold-ms 100 --servers 100 --connections 500 --size 4 --simulate 20000"
    found = run_json(line)
    assert found["simulation"]["objects_peak"] <= 400
    assert found["simulation"]["waited"] == pytest.approx(found["waiting"]["probability"], rel=0.2)


def test_running_pools(run, run_json, monkeypatch):
    pools = {"pools": [
        {"name": "db", "in_use": 3, "peak": 20, "acquired": 30_000, "hold_mean_s": 0.02, "observed_s": 60.0},
        {"name": "[bold]idle", "in_use": 0, "peak": 0, "acquired": 0, "hold_mean_s": 0.0, "observed_s": 60.0},
    ]}  # fmt: skip
    monkeypatch.setattr("poolware.cli.size.fetch", lambda _url: parse(json.dumps(pools)))
    found = run_json("size --from http://localhost/pools")["pools"]
    assert found[0]["size"]["maximum"] == 20
    assert found[1]["size"] is None
    said = run("size --from http://localhost/pools").stdout.splitlines()
    assert said[1].split() == ["db", "500", "20", "10", "5", "13", "20"]
    assert said[2].split() == ["[bold]idle", "0", "0", "-", "-", "-", "-"]
