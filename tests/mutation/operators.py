"""What a mutant is: a module with one small fault, such as a comparison turned around or a statement left out."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_OPPOSITE: dict[type[Any], type[Any]] = {
    ast.Eq: ast.NotEq,
    ast.Lt: ast.LtE,
    ast.Gt: ast.GtE,
    ast.Is: ast.IsNot,
    ast.In: ast.NotIn,
    ast.Add: ast.Sub,
    ast.Mult: ast.FloorDiv,
    ast.And: ast.Or,
    ast.BitOr: ast.BitAnd,
}
_OPPOSITE |= {other: one for one, other in _OPPOSITE.items()}
_COUNTS = {"SOLE", "PART_SOLE", "LENT_SOLE"}
_REMOVABLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Raise, ast.Delete, ast.Break)
_REMOVABLE += (ast.Continue,)
_NO_CODE = {"annotation", "returns", "type_comment", "ctx"}
_MESSAGES = {"msg", "logger", "text"}
"""Names beside which a text is a message for people: its wording is no behaviour."""


@dataclass(frozen=True)
class Place:
    """One node of a module's tree, and where it hangs."""

    parent: ast.AST
    name: str
    number: int | None
    statement: ast.stmt
    """The innermost statement around it."""

    @property
    def node(self) -> Any:
        found = getattr(self.parent, self.name)
        return found if self.number is None else found[self.number]

    def put(self, node: ast.AST) -> None:
        if self.number is None:
            setattr(self.parent, self.name, node)
        else:
            getattr(self.parent, self.name)[self.number] = node


def places(tree: ast.AST, statement: ast.stmt | None = None) -> Iterator[Place]:
    """Every node whose change would change what the code does."""
    for name, value in ast.iter_fields(tree):
        if name in _NO_CODE:
            continue
        for number, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or _is_no_code(child):
                continue
            inner = child if isinstance(child, ast.stmt) else statement
            if inner is not None:
                yield Place(tree, name, number, inner)
            yield from places(child, inner)


def _is_no_code(node: ast.AST) -> bool:  # noqa: PLR0911
    """Imports, docstrings, types, messages: nothing that a test of behaviour could tell apart."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr() | ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.Assign(targets=[ast.Name(id="__all__" | "msg")]):
            return True
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar"))):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="logger")))):
            return False
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() | ast.BinOp()) if name[0].isupper():
            return name.upper() != name  # an alias of a type
        case ast.ClassDef(bases=bases):
            return any(ast.unparse(base).startswith(("Protocol", "TypedDict")) for base in bases)
        case ast.FunctionDef(decorator_list=decorators):
            return any(ast.unparse(decorator) == "overload" for decorator in decorators)
    return False


def variants(place: Place) -> Iterator[ast.AST]:  # noqa: C901, PLR0912
    """Each way of getting this place wrong."""
    node = place.node
    match node:
        case ast.Compare(ops=[operator], left=left, comparators=others) if type(operator) in _OPPOSITE:
            yield ast.Compare(left, [_OPPOSITE[type(operator)]()], others)
        case ast.Compare(ops=operators) if len(operators) > 1:
            for number, operator in enumerate(operators):
                turned = [*operators[:number], _OPPOSITE[type(operator)](), *operators[number + 1 :]]
                yield ast.Compare(node.left, turned, node.comparators)
        case ast.BoolOp(op=operator, values=values):
            yield ast.BoolOp(_OPPOSITE[type(operator)](), values)
            for number in range(len(values)):
                rest = [*values[:number], *values[number + 1 :]]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(operator, rest)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(op=operator, left=left, right=right) if type(operator) in _OPPOSITE:
            yield ast.BinOp(left, _OPPOSITE[type(operator)](), right)
        case ast.AugAssign(op=operator, target=target, value=value) if type(operator) in _OPPOSITE:
            yield ast.AugAssign(target, _OPPOSITE[type(operator)](), value)
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str() | bytes() as value):
            yield ast.Constant(value[:0] if value else type(value)(b"?" if isinstance(value, bytes) else "?"))
        case ast.ExceptHandler(type=ast.Tuple(elts=errors)):
            for number in range(len(errors)):
                rest = ast.Tuple([*errors[:number], *errors[number + 1 :]], ast.Load())
                yield ast.ExceptHandler(rest, node.name, node.body)
        case ast.Name(id="BaseException", ctx=ast.Load()):
            yield ast.Name("Exception", ast.Load())
        case ast.Name(id=name, ctx=ast.Load()) if name in _COUNTS:
            yield ast.BinOp(node, ast.Add(), ast.Constant(1))
        case ast.Call():
            yield from _other_calls(node)
        case ast.Slice(lower=lower, upper=upper):
            yield from ([ast.Slice(None, upper)] if lower else [])
            yield from ([ast.Slice(lower, None)] if upper else [])
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.comprehension(ifs=[_, *_]):
            yield ast.comprehension(node.target, node.iter, [], node.is_async)
    if isinstance(node, ast.stmt):
        yield from _other_statements(node)


def _other_calls(call: ast.Call) -> Iterator[ast.AST]:
    """A call with one argument None, or without one of its keywords."""
    for number, argument in enumerate(call.args):
        if not isinstance(argument, ast.Starred | ast.GeneratorExp | ast.JoinedStr) and not _is(argument, None):
            yield ast.Call(
                call.func, [*call.args[:number], ast.Constant(None), *call.args[number + 1 :]], call.keywords
            )
    for number in range(len(call.keywords)):
        yield ast.Call(call.func, call.args, [*call.keywords[:number], *call.keywords[number + 1 :]])


def _is(node: ast.AST, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _other_statements(node: ast.stmt) -> Iterator[ast.AST]:  # noqa: C901, PLR0912
    """The statement left out; its condition turned around; its protection taken away."""
    match node:
        case ast.AnnAssign(value=None):
            return
        case ast.Return(value=value) if value is None or _is(value, None):
            yield ast.Pass()
        case ast.Return():
            yield ast.Return(ast.Constant(None))
        case ast.If(test=ast.Compare(ops=[_]) | ast.UnaryOp(op=ast.Not())):
            return  # its condition is turned around where it stands
        case ast.If(test=test):
            yield ast.If(ast.UnaryOp(ast.Not(), test), node.body, node.orelse)
        case ast.While(test=test):
            yield ast.While(ast.Constant(False), node.body, node.orelse)
        case ast.For(target=target):
            yield ast.For(target, ast.Tuple([], ast.Load()), node.body, node.orelse)
        case ast.With() | ast.AsyncWith() if all(item.optional_vars is None for item in node.items):
            yield ast.If(ast.Constant(True), node.body, [])
        case ast.Try(finalbody=[_, *_] as last):
            yield ast.Try(node.body, node.handlers, node.orelse, []) if node.handlers else _block(node.body)
            yield _block([*node.body, *last]) if not node.handlers else ast.Try(node.body, [], node.orelse, last)
        case ast.Try(handlers=handlers):
            yield _block([*node.body, *node.orelse])
            for number in range(len(handlers)) if len(handlers) > 1 else ():
                rest = [*handlers[:number], *handlers[number + 1 :]]
                yield ast.Try(node.body, rest, node.orelse, [])
        case ast.FunctionDef(decorator_list=[_, *_] as decorators):
            for number in range(len(decorators)):
                other = copy.copy(node)
                other.decorator_list = [*decorators[:number], *decorators[number + 1 :]]
                yield other
        case _ if isinstance(node, _REMOVABLE):
            yield ast.Pass()


def _block(body: list[ast.stmt]) -> ast.If:
    return ast.If(ast.Constant(True), body, [])


def in_message(place: Place) -> bool:
    """Whether a text stands where people read it and no code does."""
    if not isinstance(place.node, ast.Constant) or not isinstance(place.node.value, str):
        return False
    match place.statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)):
            return name in _MESSAGES
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="logger")))):
            return True
    return isinstance(place.statement, ast.Raise)


@dataclass
class Mutant:
    """One fault in one module."""

    module: str
    """Its path below src/poolware."""
    line: int
    """Of the innermost statement around it."""
    place: str
    """The function or class."""
    before: str
    after: str
    source: str
    """The whole module, with the fault."""
    in_function: bool
    """Or at the level of a class or the module, where it is at work when that is imported."""


def mutants_of(module: str, text: str) -> Iterator[Mutant]:
    """Every mutant of a module."""
    tree = ast.parse(text)
    owners = _owners(tree)
    for place in places(tree):
        if in_message(place):
            continue
        original = place.node
        for variant in variants(place):
            new = ast.copy_location(variant, original)
            before, after = ast.unparse(original), ast.unparse(new)
            place.put(new)
            source = ast.unparse(ast.fix_missing_locations(tree))
            place.put(original)
            owner, in_function = owners[place.statement]
            if before != after:
                yield Mutant(module, place.statement.lineno, owner, before, after, source, in_function)


def _owners(tree: ast.Module) -> dict[ast.AST, tuple[str, bool]]:
    """For each statement the name of the class or function that it is part of, and whether that is a function."""
    found: dict[ast.AST, tuple[str, bool]] = {}

    def look(node: ast.AST, owner: str, *, in_function: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                found[child] = owner or "module", in_function
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{owner}.{child.name}".lstrip(".")
                look(child, name, in_function=in_function or not isinstance(child, ast.ClassDef))
            else:
                look(child, owner, in_function=in_function)

    look(tree, "", in_function=False)
    return found
