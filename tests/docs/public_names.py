"""Writes docs/public-names.md from ``__all__`` of the public modules: ``python -m tests.docs.public_names``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "public-names.md"
SOURCES = [ROOT / "src", *sorted((ROOT / "integrations").glob("*/src"))]

MODULES = {
    "poolware": "Contexts, pools, and what they are made of.",
    "poolware.errors": "Everything that poolware raises. [errors.md](errors.md) says when, and what to do.",
    "poolware.observe": "Watching the pools of a process. [observability.md](observability.md)",
    "poolware.observe.events": "What happens in pools, as it happens. [statistics.md](statistics.md)",
    "poolware.observe.leaks": "Who has acquired what and not released it. [statistics.md](statistics.md)",
    "poolware.observe.logs": "The request's id in log records. [observability.md](observability.md)",
    "poolware.observe.otel": "OpenTelemetry; needs `opentelemetry-api`.",
    "poolware.observe.prometheus": "Prometheus; needs `prometheus-client`.",
    "poolware.observe.rules": "The rules behind the alerts.",
    "poolware.observe.text": "What `flask poolware` prints. [observability.md](observability.md)",
    "poolware.sizing": "How big, and whether at all. [sizing.md](sizing.md)",
    "poolware.sizing.simulate": "Sizes tried out; needs numpy. [sizing.md](sizing.md)",
    "poolware.testing": "For an application's own tests; the same as pytest fixtures.",
    "poolware.web.asgi": "Any ASGI application.",
    "poolware.web.wsgi": "Any WSGI application.",
    "poolware.web.accessor": "`request.ctx` for frameworks that poolware has no package for.",
    "poolware.web.lifecycle": "What every middleware takes.",
    "poolware.web.body": "Request bodies in pooled buffers, for any application. [buffers.md](buffers.md)",
    "poolware.web.dashboard": "The live page. [live-page.md](live-page.md)",
    "poolware.web.gunicorn": "Hooks for a gunicorn configuration. [observability.md](observability.md)",
    "poolware.web.metrics": "What Prometheus reads, as applications. [observability.md](observability.md)",
    "starlette_poolware": "Starlette and FastAPI.",
    "starlette_poolware.fastapi": "FastAPI alone.",
    "flask_poolware": "Flask.",
    "django_poolware": "Django.",
    "django_poolware.middleware": "Named in the setting `MIDDLEWARE`.",
}
"""Every module that an application may import from, and what it is for."""

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

INTRODUCTION = """\
# Public names

Every module that an application imports from, every name in it, and the first line of its documentation. What is not
here is private, whatever it is called, and may change with any release. `poolware_compare` is a command: nothing is
imported from it.

Written by `python -m tests.docs.public_names`; a test keeps it equal to the code.
"""


def page() -> str:
    """Return what the page has to say."""
    return INTRODUCTION + "".join(f"\n## `{module}`\n\n{MODULES[module]}\n\n{_table(module)}" for module in MODULES)


def names(module: str) -> tuple[str, ...]:
    """Return ``__all__`` of a module; the errors, which `poolware` has too, are listed with their own module."""
    (listed,) = [node.value for node in _tree(module).body if _assigns(node) == "__all__"]
    return tuple(ast.literal_eval(listed))


def first_line(module: str, name: str) -> str:
    """Return the first line of what documents a name, wherever it was imported from; empty if nothing does."""
    body = _tree(module).body
    for place, node in enumerate(body):
        if isinstance(node, _DEFINITIONS) and node.name == name and (text := ast.get_docstring(node)):
            return text.partition("\n")[0]  # of several, as overloads are, the one that has it
        if _assigns(node) == name and place + 1 < len(body):
            return _text(body[place + 1]).partition("\n")[0]
        if isinstance(node, ast.ImportFrom) and node.module and any(alias.name == name for alias in node.names):
            return first_line(node.module, name)
    return ""


def _table(module: str) -> str:
    rows = "".join(
        f"| `{name}` | {_cell(first_line(module, name))} |\n" for name in sorted(names(module), key=str.lower)
    )
    return f"| name | |\n|---|---|\n{rows}"


def _cell(line: str) -> str:
    return line.replace("``", "`").replace("|", "\\|")


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(next(_files(module)).read_text())


def _files(module: str) -> Iterator[Path]:
    for source in SOURCES:
        place = source.joinpath(*module.split("."))
        yield from filter(Path.exists, (place.with_suffix(".py"), place / "__init__.py"))


def _assigns(node: ast.stmt) -> str:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return next((target.id for target in targets if isinstance(target, ast.Name)), "")


def _text(node: ast.stmt) -> str:
    value = node.value if isinstance(node, ast.Expr) else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


if __name__ == "__main__":
    PAGE.write_text(page())
