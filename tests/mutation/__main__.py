"""``make mutation``: does a test fail for each fault that one could make? It writes build/mutation.json and a table.

python -m tests.mutation [--only pools/buffer.py …] [--lines 10-20]
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.mutation.notes import keep_notes, noted
from tests.mutation.operators import Mutant, mutants_of
from tests.mutation.processes import in_child
from tests.mutation.session import Order, Session, functions_of, swap
from tests.mutation.templates import MODULE as TEMPLATES
from tests.mutation.templates import template_mutants

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
PACKAGES = ("_core", "pools", "web", "context")


@dataclass
class Result:
    """What became of a mutant: killed, hung, crashed, survived, or no test runs its line."""

    mutant: Mutant
    status: str
    by: str
    seconds: float


class Copy:
    """The package that is tested: a copy in which one module at a time is exchanged."""

    def __init__(self) -> None:
        self.root = BUILD / "mutation"
        self.package = self.root / "poolware"
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(ROOT / "src" / "poolware", self.package, ignore=shutil.ignore_patterns("__pycache__"))
        self.texts = {
            f"{package}/{path.name}": path.read_text()
            for package in PACKAGES
            for path in sorted((ROOT / "src" / "poolware" / package).glob("*.py"))
        }
        self.base = {module: _plain(text) for module, text in self.texts.items()}
        self._writes = 0
        for module, base in self.base.items():
            self._write(module, base)
        os.environ["PYTHONPATH"] = str(self.root)  # for what the tests start
        sys.path.insert(0, str(self.root))

    def _write(self, module: str, text: str) -> None:
        path = self.package / module
        path.write_text(text)
        self._writes += 1
        os.utime(path, (self._writes, self._writes))  # so that no compiled file of another version is taken for it

    @contextmanager
    def with_(self, texts: dict[str, str]) -> Iterator[None]:
        """Exchange modules for a time."""
        for module, text in texts.items():
            self._write(module, text)
        try:
            yield
        finally:
            for module in texts:
                self._write(module, self.base[module])


def _plain(text: str) -> str:
    import ast

    return ast.unparse(ast.parse(text))


@dataclass
class Coverage:
    """Which tests run which lines."""

    at_import: set[tuple[str, int]] = field(default_factory=set)
    seconds: dict[str, float] = field(default_factory=dict)
    of_line: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    of_module: dict[str, set[str]] = field(default_factory=dict)

    def add(self, test: str, seconds: float, lines: list[tuple[str, int]]) -> None:
        """Note what one test ran."""
        self.seconds[test] = seconds
        for module, line in lines:
            self.of_line.setdefault((module, line), set()).add(test)
            self.of_module.setdefault(module, set()).add(test)

    def imported(self, mutant: Mutant) -> bool:
        """Whether the mutant's line runs when poolware or a test file is imported."""
        return not mutant.in_function or (mutant.module, mutant.line) in self.at_import

    def tests(self, mutant: Mutant) -> set[str]:
        """The tests that may notice it."""
        if self.imported(mutant):
            return self.of_module.get(mutant.module) or set(self.seconds)
        return self.of_line.get((mutant.module, mutant.line), set())


class Run:
    """All mutants, one after the other."""

    def __init__(self, copy: Copy, mutants: list[Mutant]) -> None:
        self.copy = copy
        self.mutants = mutants
        self.results: list[Result] = []
        self.tried = 0
        self.terminal = os.dup(1)
        self.began = time.monotonic()

    def say(self, text: str) -> None:
        """Show progress, from a fork too."""
        os.write(self.terminal, text.encode())

    def survey(self) -> Coverage:
        """Run the tests once without a fault, with notes of what they run."""

        def look() -> Any:
            notes = keep_notes()
            return Session(lambda session: session.survey(notes)).run()

        with self.copy.with_({module: noted(text, module) for module, text in self.copy.texts.items()}):
            _, seen = in_child(look)
        if not seen:
            raise SystemExit("the tests cannot be collected")
        coverage = Coverage({(module, line) for module, line in seen["at_import"]})
        for test, (seconds, lines) in seen["tests"].items():
            coverage.add(test, seconds, [(module, line) for module, line in lines])
        return coverage

    def all(self, coverage: Coverage) -> None:
        """Try each mutant: in a fork of a process that has collected the tests, or in one that starts anew."""
        quick, slow = [], []
        for number, mutant in enumerate(self.mutants):
            (slow if coverage.imported(mutant) else quick).append(number)
        order = Order(coverage.seconds)

        def in_forks() -> Any:
            return Session(lambda session: self._quick(session, quick, coverage, order)).run()

        _, done = in_child(in_forks)
        if isinstance(done, str):
            raise SystemExit(f"without any fault: {done}")
        for number, status, by, seconds in done:
            if status == "start anew":
                slow.append(number)
            else:
                self.results.append(Result(self.mutants[number], status, by, seconds))
        self.tried = len(self.results)
        random.Random(0).shuffle(slow)  # so that an interrupted run is a fair sample
        for number in slow:
            result = self._try(self.mutants[number], coverage, order, self._anew)
            self.results.append(result)
        self.results.sort(key=lambda result: (result.mutant.module, result.mutant.line))

    def _quick(self, session: Session, numbers: list[int], coverage: Coverage, order: Order) -> Any:
        paths = {module: self.copy.package / module for module in self.copy.base}
        gc.unfreeze()  # tests/conftest.py has hidden the functions as well
        functions = {module: functions_of(path) for module, path in paths.items()}
        gc.collect()
        gc.freeze()  # from here on get_objects() sees none of them
        _, failure = in_child(lambda: session.first_failure(list(session.items)))
        if failure != "":
            return str(failure)
        self.say(f"{len(coverage.seconds)} tests pass without a fault; {len(self.mutants)} mutants\n")

        def swapped(mutant: Mutant, names: list[str]) -> str:
            module = mutant.module
            if not swap(functions[module], paths[module], self.copy.base[module], mutant.source):
                return "start anew"
            return session.first_failure(names)

        done = []
        for number in numbers:
            result = self._try(self.mutants[number], coverage, order, swapped)
            done.append((number, result.status, result.by, result.seconds))
        return done

    def _anew(self, _mutant: Mutant, names: list[str]) -> str | None:
        return Session(lambda session: session.first_failure(names)).run()

    def _try(self, mutant: Mutant, coverage: Coverage, order: Order, run: Callable[[Mutant, list[str]], Any]) -> Result:
        began = time.monotonic()
        names = order.sort(mutant.module, coverage.tests(mutant))
        if not names:
            status, by = "not run", ""
        else:
            limit = 60 + 3 * sum(coverage.seconds[name] for name in names)
            with self.copy.with_({mutant.module: mutant.source}):
                status, by = _judged(*in_child(lambda: run(mutant, names), limit))
        if by in coverage.seconds:
            order.note(mutant.module, by)
        result = Result(mutant, status, by, time.monotonic() - began)
        self._show(result)
        return result

    def _show(self, result: Result) -> None:
        mutant = result.mutant
        if result.status in {"survived", "not run"}:
            self.say(f"\r{mutant.module}:{mutant.line} {mutant.place}: {brief(mutant)}: {result.status}\n")
        self.tried += result.status != "start anew"
        self.say(f"\r{self.tried} of {len(self.mutants)}, {time.monotonic() - self.began:.0f} s ")


def _judged(outcome: str, failure: str | None) -> tuple[str, str]:
    if outcome != "done":
        return outcome, ""
    if failure is None:
        return "killed", "collecting the tests"
    if failure in {"", "start anew"}:
        return failure or "survived", ""
    how, _, test = failure.partition(" ")
    return "hung" if how == "hung" else "killed", test


def brief(mutant: Mutant) -> str:
    """The fault in one line."""
    one_line = (" ".join(text.split()) for text in (mutant.before, mutant.after))
    return " → ".join(text if len(text) <= 70 else f"{text[:69]}…" for text in one_line)


STATUSES = ("killed", "hung", "crashed", "survived", "not run")


def table(results: list[Result]) -> str:
    """Mutants by module and by what became of them."""
    rows = [f"{'':24}{'mutants':>8}" + "".join(f"{status:>10}" for status in STATUSES) + f"{'score':>8}"]
    counts: dict[str, Counter[str]] = {}
    for result in results:
        generated = result.mutant.place.endswith("(generated)")
        for group in (f"{result.mutant.module}{' (generated)' if generated else ''}", "all"):
            counts.setdefault(group, Counter())[result.status] += 1
    for group in [*sorted(set(counts) - {"all"}), "all"]:
        count = counts[group]
        found = count.total() - count["survived"] - count["not run"]
        score = f"{100 * found / count.total():.1f}%"
        rows.append(
            f"{group:24}{count.total():8}" + "".join(f"{count[status]:10}" for status in STATUSES) + f"{score:>8}"
        )
    return "\n".join(rows)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--only", nargs="*", default=[], help="modules such as pools/buffer.py, or packages")
    only = parser.parse_args().only
    copy = Copy()
    chosen = {module: text for module, text in copy.texts.items() if not only or module.startswith(tuple(only))}
    mutants = [mutant for module, text in chosen.items() for mutant in mutants_of(module, text)]
    mutants += template_mutants(chosen[TEMPLATES]) if TEMPLATES in chosen else []
    run = Run(copy, mutants)
    coverage = run.survey()
    with suppress(KeyboardInterrupt):  # what is known by then is written all the same
        run.all(coverage)
    seconds = time.monotonic() - run.began
    rows = [asdict(result) for result in run.results]
    for row in rows:
        del row["mutant"]["source"]
    written = BUILD / "mutation.json"
    written.write_text(json.dumps({"seconds": round(seconds), "results": rows}, indent=1))
    run.say(f"\n{table(run.results)}\n{seconds:.0f} s; {written.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
