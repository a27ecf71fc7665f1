"""What came of each ending on each column. ``python -m tests.servers.matrix FILE`` prints it as a table.

The file is what a run of the tests leaves at ``POOLWARE_MATRIX``.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_DAPHNE = (
    "Daphne leaves a response that failed half way as it is: the connection open, the exception held, and later "
    "failures without an answer (test_excuses)"
)
EXCUSED: dict[tuple[str, str], str] = {
    (ending, column): _DAPHNE
    for ending in ("exception_after_headers", "stream_raised_half_way")
    for column in ("starlette-daphne", "django-daphne")
}
"""Ending and column: why it fails without poolware too, and the test that shows it."""

_SIGNS = {"passed": "✓", "not applicable": "–", "failed": "✗", "": " "}


def excuse_of(ending: str, column: str) -> str | None:
    return EXCUSED.get((ending, column))


@dataclass
class Matrix:
    """Gathers the outcomes of a run, in the order in which the endings are written down."""

    cells: dict[str, dict[str, str]] = field(default_factory=dict)
    _elsewhere: dict[str, dict[str, str]] = field(default_factory=dict)
    """By test, in the order of the tests, the columns where it has no place."""

    def has(self, test: str) -> None:
        self._elsewhere.setdefault(test.removeprefix("test_"), {})

    def not_applicable(self, test: str, column: str, reason: str) -> None:
        """Note that all endings of the function `test` have no place in `column`."""
        self._elsewhere[test.removeprefix("test_")][column] = f"not applicable: {reason}"

    def expect(self, ending: str, column: str) -> None:
        self.cells.setdefault(ending, {}).setdefault(column, "")

    def note(self, ending: str, column: str, report: Any) -> None:
        """Take in the report of a test's set-up, call or teardown."""
        outcomes = self.cells.setdefault(ending, {})
        if report.failed:
            outcomes[column] = "failed"
        elif report.skipped and outcomes.get(column) != "failed":
            outcomes[column] = f"excused: {getattr(report, 'wasxfail', 'skipped')}"
        elif report.when == "call" and not outcomes.get(column):
            outcomes[column] = "passed"

    def as_dict(self, columns: list[str]) -> dict[str, Any]:
        tests = list(self._elsewhere)
        cells = {
            ending: {column: text for column, text in (self._elsewhere[_test(ending)] | outcomes).items() if text}
            for ending, outcomes in sorted(self.cells.items(), key=lambda item: tests.index(_test(item[0])))
        }
        return {"targets": columns, "endings": list(cells), "cells": cells}

    def write(self, path: Path) -> None:
        from .targets import COLUMNS, DEBIAN

        ran = {column for outcomes in self.cells.values() for column, text in outcomes.items() if text}
        columns = [column for column in [*COLUMNS, *DEBIAN] if column in ran]
        path.write_text(json.dumps(self.as_dict(columns), indent=1) + "\n")


def _test(ending: str) -> str:
    return ending.partition("[")[0]


def render(recorded: dict[str, Any]) -> str:
    """Return the matrix as a table in Markdown, with the excuses as numbered notes."""
    columns, notes = recorded["targets"], []
    lines = [f"| ending | {' | '.join(columns)} |", "|---|" + ":-:|" * len(columns)]
    for ending in recorded["endings"]:
        signs = [_sign(recorded["cells"][ending].get(column, ""), notes) for column in columns]
        lines.append(f"| {ending.replace('_', ' ')} | {' | '.join(signs)} |")
    return "\n".join([*lines, "", *(f"{number}. {note}" for number, note in enumerate(notes, start=1))])


def _sign(outcome: str, notes: list[str]) -> str:
    kind, _, reason = outcome.partition(": ")
    if kind != "excused":
        return _SIGNS[kind]
    if reason not in notes:
        notes.append(reason)
    return f"({notes.index(reason) + 1})"


if __name__ == "__main__":
    sys.stdout.write(render(json.loads(Path(sys.argv[1]).read_text())) + "\n")
