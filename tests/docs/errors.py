"""Writes docs/errors.md from poolware.errors and what the sources raise: ``python -m tests.docs.errors``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import poolware.errors

from .provoked import PROVOKE, provoked
from .public_names import ROOT, SOURCES

PAGE = ROOT / "docs" / "errors.md"

TO_DO = {
    "PoolwareError": "Catch it where everything of poolware's is handled alike.",
    "DefinitionError": "Mend the class: the message says how. Nothing is served before that.",
    "MutableDefault": "Write `field(factory=…)`.",
    "MissingDefault": "Give a default, which is what the field is reset to; `None` if there is no better.",
    "NotAField": "Annotate it: with its type if it is a field, with `ClassVar` if it is a constant.",
    "FieldNameError": "Choose another name.",
    "UnsupportedBase": "Write what the message says instead: fields, properties and methods do for a context.",
    "ConfigurationError": "Mend the configuration. Django's settings raise `SettingsError`, which is one of these.",
    "UnknownOption": "Look the name up among those that the message lists.",
    "BadOption": "Give what the message says that the option takes.",
    "ImportPathError": "Mend the path, or the error that importing it raised: it is the cause.",
    "PoolMissing": "Make the pool at the start, or call `get_or_create`.",
    "ContextReleased": "Take what you need before the response ends, or work on `ctx.detach()`.",
    "SecretReleased": "Call `reveal()` before the response ends.",
    "ContextMissing": "Install the middleware; for work behind the response take `ctx.detach()` with you.",
    "ContextDetached": "Borrow from the context of a request, or use `with pool.lease()`.",
    "LoopMissing": "Call `ctx.borrow(pool)` with a sync pool, or serve the application by ASGI.",
    "WrongContext": "Use one class for the middleware and for `of`; `of` takes a base class of it too.",
    "UndeclaredField": "Declare it. Outside of debug mode this is Python's own `AttributeError`.",
    "NotCopyable": "Copy `ctx.detach()`, `secret.reveal()` or `buffer.getvalue()`.",
    "ObjectReleased": "Take a reference by `retain()` before passing a handle on.",
    "PartHeld": "Leave `reset=` out, so that the part is rebuilt, or let go of it before the end. It is only logged.",
    "AlreadyLeased": "Call `pool.lease()` for each block.",
    "ReleaseError": "Catch it for the two below.",
    "AlreadyReleased": "Release once; a `with` block does. The other release may have come too early.",
    "ForeignObject": "Release what `acquire` returned, to the same pool.",
    "RequestRefused": "Nothing: each middleware answers with `status`. Catch it to answer otherwise.",
    "PoolUnavailable": "Nothing: it is answered with 503 and `Retry-After`. Its figures are for the log alone.",
    "PoolTimeout": "Read the figures: is something held for long, does the factory fail? [resources.md](resources.md)",
    "TooManyWaiting": "Nothing, if load is to be turned away early; else raise `max_waiting`.",
    "PoolClosed": "Close pools after the last request: in the lifespan's end, or at exit.",
    "BufferSizeError": "Ask for less, or raise `max_size` of the `BufferPool`.",
    "BufferReleased": "Copy what is needed for longer: `buffer.getvalue()`.",
    "BufferInUse": "Release the views first (`view.release()`), or ask for enough at the start.",
    "RingClosed": "Stop: the other side has left.",
    "RingTimeout": "Stop, or try again; the slots are as they were.",
    "RingMisuse": "One producer, one consumer; `reserve` before `commit`, `peek` before `consume`.",
    "BodyError": "Nothing: the client is answered with `status` and the message.",
    "BodyTimeout": "Nothing; `timeout=` says how long a body may take.",
    "BodyTooLarge": "Nothing; `limit=` says how many bytes are taken.",
    "BodyTruncated": "Nothing: the client left.",
    "BodyInvalid": "Nothing: the client is at fault.",
}
"""What whoever meets one has to do."""

INTRODUCTION = """\
# Errors

Everything that poolware raises derives from `PoolwareError`, and most of it from the built-in exception that comes
closest. The messages here were really raised. At the end stands [every message](#every-message) there is.

Written by `python -m tests.docs.errors`; a test keeps it equal to what is raised.
"""
EVERY = """
## Every message

As the sources have them; what is in braces is filled in. The errors of Python's own are those of files and numbers.

| error | message |
|---|---|
"""

_PYTHONS = {"AssertionError", "OverflowError", "RuntimeError", "TimeoutError", "TypeError", "UsageError", "ValueError"}
_ERRORS = {*poolware.errors.__all__, *_PYTHONS, "SettingsError"}


class Message(NamedTuple):
    """What some place in the sources says."""

    error: str
    """The class; empty where it depends."""
    text: str


def page() -> str:
    """Return what the page has to say."""
    rows = sorted({f"| {f'`{error}`' if error else ''} | {_cell(text)} |\n" for error, text in messages()})
    return INTRODUCTION + "".join(_sections()) + EVERY + "".join(rows)


def messages() -> Iterator[Message]:
    """Every text that becomes an error's."""
    for source in SOURCES:
        for path in sorted(source.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                yield from _direct(node)
                for block in ("body", "orelse", "finalbody"):
                    yield from _by_name(getattr(node, block, None))


def _sections() -> Iterator[str]:
    for line in (ROOT / "src/poolware/errors.py").read_text().splitlines():
        if title := re.match(r"# --- (.+?) -", line):
            yield f"\n## {title[1].capitalize()}\n"
        elif defined := re.match(r"class (\w+)", line):
            yield _entry(defined[1])


def _entry(name: str) -> str:
    when = getattr(poolware.errors, name).__doc__.replace("``", "`")
    sample = f"\n```text\n{provoked(name)}\n```\n" if name in PROVOKE else ""
    return f"\n### `{name}`\n\n{when}\n\n**What to do**: {TO_DO[name]}\n{sample}"


def _by_name(block: object) -> Iterator[Message]:
    """``msg = …`` and what the next statement does with it."""
    statements = block if isinstance(block, list) else []
    for said, used in pairwise(statements):
        if isinstance(said, ast.Assign) and ast.unparse(said.targets[0]) == "msg":
            named = [name for name in map(_name, ast.walk(used)) if name in _ERRORS]
            if named or isinstance(used, ast.Raise | ast.Return):
                yield Message(named[0] if named else "", _template(said.value))


def _direct(node: ast.AST) -> Iterator[Message]:
    """``Error("…")``."""
    if isinstance(node, ast.Call) and _name(node.func) in _ERRORS and node.args:
        text = _template(node.args[0])
        if text.strip():
            yield Message(_name(node.func), text)


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _template(value: ast.expr) -> str:
    for node in ast.walk(value):
        if isinstance(node, ast.JoinedStr):
            return "".join(map(_part, node.values))
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
    return ""


def _part(node: ast.expr) -> str:
    if isinstance(node, ast.FormattedValue):
        return "{" + ast.unparse(node.value).replace("self.", "") + "}"
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _cell(text: str) -> str:
    return (
        f"`{text}`".replace("\n", " ").replace("|", "\\|") if "`" not in text else f"`` {text} ``".replace("|", "\\|")
    )


if __name__ == "__main__":
    PAGE.write_text(page())
