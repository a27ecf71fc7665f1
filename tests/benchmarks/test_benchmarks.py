"""`python -m benchmarks` writes what its table says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.intervals import ratio
from benchmarks.processes import TWINS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    out = tmp_path_factory.mktemp("bench") / "results.json"
    command = [sys.executable, "-m", "benchmarks", "--fast", "--only", "cycle", "--rounds", "2", "--seconds", "0.001"]
    done = subprocess.run([*command, "--out", out], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.with_suffix(".md").read_text().count("\n") == 2 + len(json.loads(out.read_text())["rows"]) / len(TWINS)
    return json.loads(out.read_text()), done.stdout


def test_both_twins_are_measured(results):
    rows = results[0]["rows"]
    assert {row["twin"] for row in rows} == set(TWINS)
    for twin in TWINS:
        subjects = [row["subject"] for row in rows if row["twin"] == twin and row["over"].startswith("slotted")]
        assert len(subjects) == len(set(subjects)) == 7


def test_table_says_what_was_written(results):
    written, table = results
    lines = [line.split() for line in table.splitlines() if line.startswith("  ")]
    assert len(lines) == len(written["rows"])
    for row, line in zip(written["rows"], lines, strict=True):
        assert line[0] == row["twin"]
        assert f"{row['ratio']['median']:.2f}x" in line
        assert row["cost"] > 0
        assert row["ratio"]["rounds"] == 2
        assert line[-1] == {None: row["over"].split()[-1], True: "met", False: "missed"}[row["met"]]


def test_targets(results):
    targets = {row["subject"]: row["target"] for row in results[0]["rows"] if row["target"]}
    assert targets == {"cycle, nothing dirtied": 0.35, "cycle, 4 fields and a dict entry written": 0.55}


def test_machine_is_described(results):
    assert results[0]["machine"]["python_version"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}")


def test_ratio_is_taken_within_rounds():
    slowing = [(1.0, 2.0, 0.0), (2.0, 4.0, 0.0), (8.0, 16.0, 0.0)]
    assert (ratio(slowing).low, ratio(slowing).median, ratio(slowing).high) == (0.5, 0.5, 0.5)


def test_ratio_of_what_is_added():
    assert ratio([(7.0, 6.0, 5.0)] * 3).median == pytest.approx(2.0)
