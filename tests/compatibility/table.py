"""The table of docs/platforms.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.compatibility.rows import ENDS
from tests.distributions import ROOT

PAGE = ROOT / "docs" / "platforms.md"
BEGIN, END = "<!-- written by make compatibility -->\n", "<!-- end -->"


def write(results: Sequence[tuple[str, Mapping[str, Mapping[str, Any]]]]) -> None:
    """Put `results` in place of what stands between the two marks."""
    lines = ["| | oldest | newest |", "|---|---|---|"]
    lines += [f"| {name} | {' | '.join(_cell(ends[end]) for end in ENDS)} |" for name, ends in results]
    table = "\n" + "\n".join(lines) + "\n\n"
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(before + BEGIN + table + END + rest.partition(END)[2])


def versions_of(end: str) -> dict[str, list[str]]:
    """Return what the table says was tried at one end: the versions by the row's name."""
    lines = PAGE.read_text().split(BEGIN)[1].partition(END)[0].strip().splitlines()[2:]
    rows = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines]
    return {name: cells[ENDS.index(end)].partition(" on ")[0].split(", ") for name, *cells in rows}


def _cell(result: Mapping[str, Any]) -> str:
    tests = f"{result['passed']} tests passed"
    for what in ("failed", "skipped"):
        if result[what]:
            tests += f", {result[what]} {what}"
    return f"{', '.join(result['versions'].values())} on CPython {result['python']}: {tests}"
