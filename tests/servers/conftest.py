"""Each framework on the servers that it is used with, and what must hold after every test there."""

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import processes
from .guests import visits
from .matrix import Matrix, excuse_of
from .settled import balanced, settled
from .targets import COLUMNS, ON_BOTH_CORES, Served, Target, served

matrix = Matrix()
_failed = pytest.StashKey[bool]()
_COMPLAINTS = re.compile(r"did not take back|without release|failed; the")
"""What poolware logs when it had to help itself."""


@pytest.fixture(scope="session")
def server_of_session(request: pytest.FixtureRequest) -> Iterator[Served]:
    with served(request.param) as server:
        yield server


@pytest.fixture
def target(server_of_session: Served, request: pytest.FixtureRequest) -> Iterator[Target]:
    """A column; after the test everything must have come back, wiped, and the server must go on as before."""
    column_target = Target(server_of_session.column, server_of_session.running())
    column_target.control("forget")
    log = column_target.running.log_size()
    yield column_target
    failed = request.node.stash.get(_failed, False)
    spoilt = True
    try:
        if not (failed and excuse_of(*_cell(request.node))):
            _everything_came_back(column_target)
            assert not _COMPLAINTS.search(column_target.running.logged_since(log))
        spoilt = failed
    except BaseException as error:
        error.add_note(f"--- end of the server's log ---\n{column_target.running.tail()}")
        raise
    finally:
        if spoilt:
            server_of_session.stop()


def _everything_came_back(target: Target) -> None:
    after = settled(target.running)
    _exact(after)
    for _ in range(3):
        asyncio.run(visits(target, 1))
        later = settled(target.running)
    _exact(later)
    assert later["contexts"]["created"] == max(after["contexts"]["created"], 1), "contexts are not reused any more"


def _exact(seen: dict[str, Any]) -> None:
    balanced(seen)
    assert seen["contexts"]["acquired"] == seen["begun"]
    assert seen["objects"]["acquired"] == seen["arrived"]
    assert seen["contexts"]["escaped"] == seen["objects"]["escaped"] == 0
    assert seen["problems"] == []
    assert seen["unwiped"] == 0


# --- the matrix -------------------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*features): for columns that have them; see targets.LACKING")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `target` on every column that has what it needs."""
    if "server_of_session" not in metafunc.fixturenames:
        return
    needed = [feature for mark in metafunc.definition.iter_markers("needs") for feature in mark.args]
    names = []
    matrix.has(metafunc.definition.originalname)
    for column in COLUMNS.values():
        reasons = [reason for feature in needed if (reason := column.lacks(feature)) is not None]
        if reasons:
            matrix.not_applicable(metafunc.definition.originalname, column.name, reasons[0])
        else:
            marks = [] if column.name in ON_BOTH_CORES else [pytest.mark.one_core]
            names.append(pytest.param(column.name, marks=marks))
    metafunc.parametrize("server_of_session", names, indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _is_for_one_core(item):
            item.add_marker(pytest.mark.one_core)
        cell = _cell(item)
        if cell is not None:
            item.user_properties.append(("cell", cell))
            matrix.expect(*cell)
            reason = excuse_of(*cell)
            if reason:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def _is_for_one_core(item: pytest.Item) -> bool:
    """Whether it is about a server that has a like in `processes.ON_BOTH_CORES`, or about one without poolware."""
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return params.get("server") in processes.ROWS.keys() - processes.ON_BOTH_CORES or params.get("bare") == "1"


def _cell(item: pytest.Item) -> tuple[str, str] | None:
    """Return the ending and the column of a test of the matrix."""
    callspec = getattr(item, "callspec", None)
    if callspec is None or "server_of_session" not in callspec.params:
        return None
    column = callspec.params["server_of_session"]
    rest = callspec.id.replace(column, "", 1).strip("-")
    name = item.originalname.removeprefix("test_")
    return (f"{name}[{rest}]" if rest else name), column


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if call.excinfo is not None:
        item.stash[_failed] = True
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    cell = dict(report.user_properties).get("cell")
    if cell is not None:
        matrix.note(*cell, report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the matrix of a run in one process to the file that ``POOLWARE_MATRIX`` names."""
    path = os.environ.get("POOLWARE_MATRIX")
    in_one_process = not session.config.getoption("numprocesses", None) and "PYTEST_XDIST_WORKER" not in os.environ
    if path and matrix.cells and in_one_process:
        matrix.write(Path(path))
