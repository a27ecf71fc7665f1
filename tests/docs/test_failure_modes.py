"""docs/failure-modes.md has the eight, and each names tests that exist where it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "failure-modes.md").read_text()
ROWS = re.findall(r"^\| (\d) \| ([^|]+) \|.*\| ([^|]+) \|$", PAGE, flags=re.MULTILINE)


def test_all_eight_are_there():
    assert [number for number, *_ in ROWS] == list("12345678")


@pytest.mark.parametrize(("failure", "tests"), [row[1:] for row in ROWS], ids=[row[1] for row in ROWS])
def test_named_tests_exist(failure, tests):
    named = re.findall(r"\]\(([^)]+)\) `(test_\w+)`", tests)
    assert named, failure
    for link, name in named:
        assert f"\ndef {name}(" in (ROOT / "docs" / link).read_text(), name
