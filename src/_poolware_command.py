"""The ``poolware`` script: outside of the package, so that it can still say why the package refuses to be imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command, or say which environment variable is set to what poolware does not take."""
    try:
        from poolware.cli import main as command  # noqa: PLC0415 - see above
    except ValueError as error:
        if type(error).__module__ != "poolware.errors":
            raise
        print(f"poolware: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    command()
