"""What the tests of the command share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from poolware.cli.group import commands

PLANTED = Path(__file__).parents[1] / "sizing"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(monkeypatch):
    """Run the command in this process, in the folder of the planted objects; return its result."""
    monkeypatch.chdir(PLANTED)

    def run(line: str, *more: str) -> Result:
        result = CliRunner().invoke(commands, [*line.split(), *more], prog_name="poolware")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


@pytest.fixture
def run_json(run):
    """Run the command with ``--json``; return what it prints."""

    def run_json(line: str, *more: str, status: int = 0) -> Any:
        result = run(line, *more, "--json")
        assert result.exit_code == status, result.output
        return json.loads(result.stdout)

    return run_json
