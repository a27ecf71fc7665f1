"""The ``poolware`` command. Needs click and rich: ``pip install poolware[cli]``.

Another distribution adds a command through an entry point of the group ``poolware.commands`` that leads to a
`click.Command`.
"""

from __future__ import annotations

import io
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command."""
    try:
        from poolware.cli.group import commands  # noqa: PLC0415 - click and rich may be missing
    except ModuleNotFoundError as error:
        if error.name not in {"click", "rich"}:
            raise
        print(f"poolware: the command needs {error.name}: pip install 'poolware[cli]'", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no µ
    commands()
