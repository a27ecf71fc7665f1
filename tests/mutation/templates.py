"""Mutants of the hot path: of the texts in _core/cycle.py from which the functions of a pool are generated.

To operators.py such a text is one constant. Here it is read as the code that it becomes, and written back as a text.
What is to be filled in is a name meanwhile.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.mutation.operators import Mutant, Place, places, variants

MODULE = "_core/cycle.py"
_GENERATORS = ("plain_cycle", "_context_parts", "_call")


def template_mutants(text: str) -> Iterator[Mutant]:
    """Every mutant of the generated lines."""
    tree = ast.parse(text)
    for where, place in _texts(tree):
        original = place.node
        code = _code(original)
        for line, before, after, whole in _faults(code, statement=_is_statement(place, code)):
            place.put(ast.copy_location(_text(whole), original))
            source = ast.unparse(ast.fix_missing_locations(tree))
            place.put(original)
            place_name = f"{where} (generated)"
            yield Mutant(MODULE, original.lineno + line, place_name, _filled(before), _filled(after), source, False)


def _texts(tree: ast.Module) -> Iterator[tuple[str, Place]]:
    """The two templates, and every line that the functions make for them."""
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str())) if name.endswith("_CYCLE"):
                yield name, Place(statement, "value", None, statement)
            case ast.FunctionDef(name=name) if name in _GENERATORS:
                for place in _texts_within(statement, statement):
                    if _is_code(_code(place.node)):
                        yield name, place


def _texts_within(tree: ast.AST, statement: ast.stmt) -> Iterator[Place]:
    for name, value in ast.iter_fields(tree):
        for number, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.JoinedStr) or (isinstance(child, ast.Constant) and isinstance(child.value, str)):
                yield Place(tree, name, number, statement)
            elif isinstance(child, ast.AST):
                yield from _texts_within(child, statement)


# --- text to code and back --------------------------------------------------------------------------------------------


def _code(node: ast.AST) -> str:
    """The text, with a name such as HOLE_here_HOLE for what is filled in."""
    text = ast.unparse(node).removeprefix("f")[1:-1] if isinstance(node, ast.JoinedStr) else node.value
    return re.sub(r"\{(\w+)\}", r"HOLE_\1_HOLE", text)


def _filled(code: str) -> str:
    return re.sub(r"HOLE_(\w+?)_HOLE", r"{\1}", code)


def _text(code: str) -> ast.expr:
    filled = _filled(code)
    if "\n" in code or filled == code:
        return ast.Constant(filled)
    return ast.parse("f" + repr(filled), mode="eval").body


def _tree(code: str) -> ast.Module:
    return ast.parse(f"{code.strip()} pass" if code.rstrip().endswith(":") else code.strip())


def _is_code(code: str) -> bool:
    try:
        body = _tree(code).body
    except SyntaxError:
        return False
    return bool(body) and not (isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Name | ast.Constant))


def _is_statement(place: Place, code: str) -> bool:
    """Whether the line is complete, and not the condition or value of another."""
    first = _tree(code).body[0]
    if isinstance(first, ast.Expr):
        return isinstance(first.value, ast.Call) and isinstance(place.parent, ast.Call | ast.List)
    return True


def _faults(code: str, *, statement: bool) -> Iterator[tuple[int, str, str, str]]:
    """For each fault: its line, the place before and after, and the code with it."""
    tree = _tree(code)
    if not statement and isinstance(tree.body[0].value, ast.Compare | ast.BoolOp):
        yield 0, code, "True", "True"
    for place in places(tree):
        original = place.node
        if original in tree.body and not statement:
            continue
        for variant in variants(place):
            place.put(variant)
            whole = _written(ast.fix_missing_locations(tree), code)
            place.put(original)
            if whole:
                yield place.statement.lineno - 1, ast.unparse(original), ast.unparse(variant), whole


def _written(tree: ast.Module, like: str) -> str:
    """The code of `tree` in the form of `like`: many lines, one, or only the first of a block."""
    if "\n" in like:
        return f"\n{ast.unparse(tree)}\n"
    indent = like[: len(like) - len(like.lstrip())]
    first = tree.body[0]
    if like.endswith(":"):
        return f"{indent}if {ast.unparse(first.test)}:" if isinstance(first, ast.If) else ""
    if isinstance(first, ast.If):
        return f"{indent}if {ast.unparse(first.test)}: {'; '.join(map(ast.unparse, first.body))}"
    return indent + "; ".join(map(ast.unparse, tree.body))
