"""pytest within one process: the tests are collected once, and run in the order that finds faults soonest."""

from __future__ import annotations

import gc
import time
import types
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

TESTS = ["tests/core", "tests/context", "tests/pools", "tests/web"]
_OPTIONS = ["-q", "-p", "no:cacheprovider", "--timeout=10", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
"""The longest test takes two seconds here: one that takes ten hangs."""


class Session:
    """A pytest session whose loop is `work`."""

    def __init__(self, work: Callable[[Session], Any]) -> None:
        self._work = work
        self._failed: list[str] = []
        self.result: Any = None
        self.items: dict[str, pytest.Item] = {}

    def run(self) -> Any:
        """Collect the tests and do the work; return its result, None if the tests cannot be collected."""
        hypothesis.settings.register_profile(
            "mutation",
            database=None,
            deadline=None,
            derandomize=True,
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        hypothesis.settings.load_profile("mutation")
        pytest.main([*_OPTIONS, *TESTS], plugins=[self])
        return self.result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed:
            return None
        self.items = {item.nodeid: item for item in session.items}
        self.result = self._work(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            hung = "Timeout (>" in report.longreprtext
            self._failed.append(f"{'hung' if hung else 'failed'} {report.nodeid}")

    def first_failure(self, names: list[str]) -> str:
        """Run the tests of these names up to the first that fails; return how, and which: empty if none does."""
        following = [*names[1:], None]
        for name, after in zip(names, following, strict=True):
            item, nextitem = self.items[name], self.items[after] if after else None
            item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
            if self._failed:
                return self._failed[0]
        return ""

    def survey(self, notes: set[tuple[str, int]]) -> dict[str, Any]:
        """Run every test; return what each took and which lines it ran, and those that ran before the first.

        A test of threads may fail here: a note is one more moment at which they may take turns.
        """
        at_import, tests = sorted(notes), {}
        for name in self.items:
            notes.clear()
            began = time.perf_counter()
            self.first_failure([name])
            tests[name] = [time.perf_counter() - began, sorted(notes)]
            self._failed.clear()
        return {"at_import": at_import, "tests": tests}


class Order:
    """Those tests first that found the latest faults of the same module; then the quick ones."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self._found: dict[str, Counter[str]] = {}

    def sort(self, module: str, names: set[str]) -> list[str]:
        found = self._found.get(module, Counter())
        return sorted(names, key=lambda name: (self._seconds[name] / (1 + 4 * found[name]), name))

    def note(self, module: str, name: str) -> None:
        self._found.setdefault(module, Counter())[name] += 1


# --- putting a fault into a process that has everything imported ------------------------------------------------------


def functions_of(path: Path) -> list[types.FunctionType]:
    """Every function of a module's source that exists in this process, wherever it is kept."""
    objects = gc.get_objects()
    return [obj for obj in objects if type(obj) is types.FunctionType and obj.__code__.co_filename == str(path)]


def swap(functions: list[types.FunctionType], path: Path, base: str, source: str) -> bool:
    """Give `functions`, made from `base`, the code of `source`; False if that cannot be done faithfully."""
    old = list(_codes(compile(base, path, "exec", dont_inherit=True)))
    new = list(_codes(compile(source, path, "exec", dont_inherit=True)))
    if [code.co_qualname for code in old] != [code.co_qualname for code in new]:
        return False
    others = {_key(one): other for one, other in zip(old, new, strict=True) if _shape(one) != _shape(other)}
    changed = [function for function in functions if _key(function.__code__) in others]
    for function in changed:
        try:
            function.__code__ = others[_key(function.__code__)]
        except ValueError:  # it closes over other variables now
            return False
    return bool(changed)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _codes(constant)


def _key(code: types.CodeType) -> tuple[Any, ...]:
    return code.co_qualname, tuple(code.co_positions())


def _shape(code: types.CodeType) -> tuple[Any, ...]:
    """What the code does, wherever it stands."""
    constants = [_shape(value) if isinstance(value, types.CodeType) else repr(value) for value in code.co_consts]
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    return code.co_code, code.co_exceptiontable, code.co_flags, names, constants
