"""How results are shown: tables for people, JSON for programs, progress on a terminal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, is_dataclass
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

__all__ = ["amount", "duration", "figure", "print_json", "print_table", "progress"]

_TIMES = ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_SIZES = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def print_json(data: Any) -> None:
    """Print `data`, dataclasses included. What is infinite becomes null: JSON knows no infinity."""
    click.echo(json.dumps(_plain(data), indent=2, ensure_ascii=False))


def _plain(data: Any) -> Any:
    if is_dataclass(data) and not isinstance(data, type):
        data = asdict(data)
    if isinstance(data, dict):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def print_table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print rows under a head, numbers to the right where their column's name ends in a blank."""
    names = list(columns)
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(names))
    for column in names:
        table.add_column(column.rstrip(), justify="right" if column.endswith(" ") else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = 200  # a file or a pipe has no width to keep to
    console.print(table)


@contextmanager
def progress(what: str) -> Iterator[Callable[[float], None]]:
    """Show a bar on stderr, if that is a terminal, while the block runs; it yields what to call with the share done.

    What the user's code prints meanwhile goes to stderr as well, so that stdout has the result and nothing else.
    """
    bar = Progress(
        TextColumn(what),
        BarColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    bar.disable = not bar.console.is_terminal
    task = bar.add_task(what, total=None)
    with bar, redirect_stdout(sys.stderr):
        yield lambda share: bar.update(task, completed=share, total=1.0)


def duration(seconds: float | None) -> str:
    """Return seconds in the unit that suits them, to three digits."""
    if seconds is None or not math.isfinite(seconds):
        return "without end" if seconds is not None else "-"
    unit, name = next((pair for pair in _TIMES if abs(seconds) >= pair[0]), _TIMES[-1])
    return f"{seconds / unit:.3g} {name}" if seconds else "0 s"


def figure(value: float) -> str:
    """Return a number as people write it: 2,000 and 0.0123."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits are shown


def amount(size: float | None) -> str:
    """Return bytes in the unit that suits them, to three digits."""
    if size is None:
        return "-"
    unit, name = next((pair for pair in _SIZES if abs(size) >= pair[0]), (1, "B"))
    return f"{size / unit:.3g} {name}" if unit > 1 else f"{size:.0f} B"
