"""The amounts of chaos, its seed in the header, and its table at the end."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import bounds
from .ledger import Ledger

RESULTS = Path(__file__).parents[2] / "build" / "chaos.json"
LEDGERS: pytest.StashKey[dict[str, Ledger]] = pytest.StashKey()
AMOUNTS = ["bounded", pytest.param("long", marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]


def pytest_configure(config: pytest.Config) -> None:
    try:
        amounts = {"bounded": bounds.bounded(os.environ), "long": bounds.long(os.environ)}
    except bounds.BadSetting as error:
        raise pytest.UsageError(str(error)) from None

    def say(line: str) -> None:
        capture = config.pluginmanager.getplugin("capturemanager")
        reporter = config.pluginmanager.getplugin("terminalreporter")
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(line, flush=True)

    config.stash[LEDGERS] = {name: Ledger(amount, say) for name, amount in amounts.items()}


def pytest_report_header(config: pytest.Config) -> str:
    wanted = config.stash[LEDGERS]["long" if config.getoption("-m") == "slow" else "bounded"].bounds
    return f"chaos: seed {wanted.seed}, {wanted.steps:,} steps, {wanted.requests:,} requests"


@pytest.fixture(params=AMOUNTS)
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """The run that a test is a part of: a few seconds of it, or all of it."""
    found: Ledger = request.config.stash[LEDGERS][request.param]
    return found


@pytest.fixture(autouse=True)
def _no_log_records() -> Iterator[None]:
    """A record of a failed reset has a traceback, and pytest keeps records: it would hold the context."""
    logger = logging.getLogger("poolware")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(before)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name, ledger in config.stash[LEDGERS].items():
        if ledger.parts:
            terminalreporter.section(f"chaos, {name}, seed {ledger.bounds.seed}")
            terminalreporter.write_line("\n".join(ledger.table()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    ledger = session.config.stash[LEDGERS]["long"]
    if ledger.parts:
        ledger.write(RESULTS)
