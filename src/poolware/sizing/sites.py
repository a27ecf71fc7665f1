"""What a costly line suggests: pool what it builds, keep one for all requests, or leave it alone."""

from __future__ import annotations

import ast
import builtins
import functools
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any, Literal

__all__ = ["Advice", "advise", "source_of"]

_MEMORY = 64 << 10
"""Bytes below which memory comes from Python's or malloc's own free lists and costs next to nothing."""
_SECONDS = 20e-6
_KEPT_SECONDS = 100e-6

_SHARED = {
    "aiohttp.ClientSession",
    "boto3.client",
    "boto3.resource",
    "concurrent.futures.ThreadPoolExecutor",
    "httpx.AsyncClient",
    "httpx.Client",
    "jinja2.Environment",
    "jinja2.Template",
    "pydantic.TypeAdapter",
    "re.compile",
    "redis.Redis",
    "requests.Session",
    "sqlalchemy.create_engine",
    "ssl.SSLContext",
    "ssl.create_default_context",
    "string.Template",
    "urllib3.PoolManager",
    "zoneinfo.ZoneInfo",
}
"""What one of serves all requests at once, by its makers' word."""
_EXCLUSIVE = {
    "lxml.etree.XMLParser",
    "numpy.random.default_rng",
    "psycopg.connect",
    "psycopg2.connect",
    "random.Random",
    "sqlite3.connect",
    "zstandard.ZstdCompressor",
    "zstandard.ZstdDecompressor",
}
"""What can be used again and again, but by one request at a time."""
_BUFFERS = {"array.array", "bytearray", "bytes", "io.BytesIO", "numpy.empty", "numpy.zeros", "numpy.ones"}
_MODULES = {name.rpartition(".")[0] for name in _SHARED | _EXCLUSIVE | _BUFFERS}


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a line, and why."""

    kind: Literal["pool", "keep", "leave alone"]
    hint: str


def advise(code: CodeType, line: int, names: Mapping[str, Any], seconds: float, size: float) -> Advice:
    """Return what to do about `line` of `code`, in a module with these `names`, by what it costs a request."""
    calls = list(_calls(code.co_filename, line))
    for name in (_full_name(call.func, names) for call in calls):
        if name in _SHARED and seconds >= _SECONDS:
            return Advice("keep", f"build it once, at module level: one {name} serves all requests")
        if name in _BUFFERS and size >= _MEMORY:
            return Advice("pool", "scratch memory: ctx.buffer(size), or a BufferPool")
        if name in _EXCLUSIVE and seconds >= _SECONDS / 4:
            return Advice("pool", f"borrow one from a pool of {name}; poolware measure says what that saves")
    local = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
    if calls and seconds >= _KEPT_SECONDS and not any(_depends_on(call, local) for call in calls):
        return Advice("keep", "nothing in it depends on the request: do it once, at module level")
    return Advice("leave alone", _why_alone(seconds, size))


def _why_alone(seconds: float, size: float) -> str:
    if size >= _MEMORY:
        return "its memory depends on the request; where it is scratch: ctx.buffer(size)"
    return "what it does depends on the request" if seconds >= _KEPT_SECONDS else "cheap"


def source_of(file: str, line: int) -> str:
    """Return the text of a line; nothing where there is no such file."""
    lines = _lines(file)
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""


@functools.cache
def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


@functools.cache
def _tree(file: str) -> ast.Module:
    try:
        return ast.parse("\n".join(_lines(file)))
    except (SyntaxError, ValueError):  # a template, or what was read is newer than what runs
        return ast.Module([], [])


def _calls(file: str, line: int) -> Iterator[ast.Call]:
    """Yield the calls that begin in `line`, the outermost first."""
    return (node for node in ast.walk(_tree(file)) if isinstance(node, ast.Call) and node.lineno == line)


def _full_name(function: ast.expr, names: Mapping[str, Any]) -> str | None:
    """Return ``ssl.SSLContext`` for whatever the line calls it."""
    attributes: list[str] = []
    while isinstance(function, ast.Attribute):
        attributes.insert(0, function.attr)
        function = function.value
    if not isinstance(function, ast.Name):
        return None
    root = names.get(function.id, getattr(builtins, function.id, None))
    if isinstance(root, types.ModuleType):
        return ".".join([root.__name__, *attributes])
    module, name = getattr(root, "__module__", None), getattr(root, "__qualname__", None)
    if attributes or not (isinstance(module, str) and isinstance(name, str)):
        return None
    package = module.partition(".")[0].lstrip("_")  # psycopg.connect, wherever psycopg defines it
    return name if package == "builtins" else f"{module if module in _MODULES else package}.{name}"


def _depends_on(call: ast.Call, local: set[str]) -> bool:
    return any(
        isinstance(node, ast.Await) or (isinstance(node, ast.Name) and node.id in local) for node in ast.walk(call)
    )
