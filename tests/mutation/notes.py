"""Which test runs which line: a source that notes each statement of a function before it runs it.

A tracer would do, but its frames hold references, which is what the code under test counts.
"""

from __future__ import annotations

import ast
import builtins

_NAME = "__mutation_notes__"


def noted(text: str, module: str) -> str:
    """Return the source with notes, which are kept if the process has called `keep_notes` before the import."""
    tree = ast.parse(text)
    for node in list(ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            _note_within(node, module)
    head = [line for line in tree.body if isinstance(line, ast.Expr) or _is_future(line)]
    tree.body.insert(len(head), ast.parse(f"{_NAME} = getattr(__import__('builtins'), '{_NAME}', set())").body[0])
    return ast.unparse(ast.fix_missing_locations(tree))


def _note_within(function: ast.FunctionDef | ast.AsyncFunctionDef, module: str) -> None:
    todo: list[ast.AST] = [function]
    while todo:
        node = todo.pop()
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            inside = getattr(node, name, None)
            if not isinstance(inside, list):
                continue
            todo += [child for child in inside if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)]
            if name in {"body", "orelse", "finalbody"}:
                setattr(node, name, [both for child in inside for both in (_note(child, module), child) if both])


def _note(statement: ast.stmt, module: str) -> ast.stmt | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return None  # a docstring comes first
    return ast.parse(f"{_NAME}.add(({module!r}, {statement.lineno}))").body[0]


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def keep_notes() -> set[tuple[str, int]]:
    """Return the set into which this process notes lines from now on."""
    notes: set[tuple[str, int]] = set()
    setattr(builtins, _NAME, notes)
    return notes
