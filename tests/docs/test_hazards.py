"""docs/hazards.md names every hazard once, and tests that exist and say that they cover it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "hazards.md").read_text()
ROWS = {row[0]: row for row in re.findall(r"^\| (H\d\d) \|(.*)\|(.*)\|(.*)\|$", PAGE, flags=re.MULTILINE)}


def test_every_hazard_has_a_row():
    assert sorted(ROWS) == [f"H{number:02}" for number in range(1, 45)]


@pytest.mark.parametrize("hazard", sorted(ROWS))
def test_named_tests_cover_the_hazard(hazard):
    """A hazard without tests says that it is planned; one with tests is named by at least one of them."""
    files = [(ROOT / "docs" / link).resolve() for link in re.findall(r"\]\(([^)]+)\)", ROWS[hazard][3])]
    if not files:
        assert "*planned*" in ROWS[hazard][2]
        return
    assert any(hazard in file.read_text() for file in files)
