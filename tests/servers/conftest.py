"""Each framework on the servers that it is used with, and what must hold after every test there."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import debian, processes
from .checks import everything_came_back
from .matrix import Matrix, excuse_of
from .targets import COLUMNS, DEBIAN, ON_BOTH_CORES, Column, Served, Target, served

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
            everything_came_back(column_target)
            assert not _COMPLAINTS.search(column_target.running.logged_since(log))
        spoilt = failed
    except BaseException as error:
        error.add_note(f"--- end of the server's log ---\n{column_target.running.tail()}")
        raise
    finally:
        if spoilt:
            server_of_session.stop()


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
    for column in [*COLUMNS.values(), *DEBIAN.values()]:
        reasons = [reason for feature in needed if (reason := column.lacks(feature)) is not None]
        if reasons:
            matrix.not_applicable(metafunc.definition.originalname, column.name, reasons[0])
        else:
            names.append(pytest.param(column.name, marks=_marks(column)))
    metafunc.parametrize("server_of_session", names, indirect=True, scope="session")


def _marks(column: Column) -> list[pytest.MarkDecorator]:
    marks = [] if column.name in ON_BOTH_CORES else [pytest.mark.one_core]
    if column.server not in debian.PARTS:
        return marks
    absent = debian.lacking(column.server)
    return [*marks, pytest.mark.slow, pytest.mark.skipif(absent is not None, reason=str(absent))]


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
