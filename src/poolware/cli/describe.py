"""``poolware describe``."""

from __future__ import annotations

from typing import Any

import click

from poolware.cli.output import print_json, print_table
from poolware.cli.parameters import TARGET, as_json
from poolware.context.base import Context

__all__ = ["describe"]


@click.command()
@click.argument("context", type=TARGET)
@as_json
def describe(context: tuple[str, Any], *, json_: bool) -> None:
    r"""Show the fields of a context class: what each resets to, whether it is wiped, and what is taken on your word.

    \b
    Example:
      poolware describe shop.context:AppContext
    """
    path, cls = context
    if not (isinstance(cls, type) and issubclass(cls, Context)):
        msg = f"{path!r} is {cls!r:.60}; it takes a class derived from poolware.Context"
        raise click.UsageError(msg)
    fields = cls.describe()
    if json_:
        print_json(fields)
        return
    print_table(
        ("field", "type", "default", "resets", ""),
        (
            (row.name, row.type, row.default, row.resets, ", ".join(_marks(row.sensitive, row.vouched)))
            for row in fields
        ),
    )


def _marks(sensitive: bool, vouched: bool) -> list[str]:  # noqa: FBT001 - two columns of a table
    return ["sensitive"] * sensitive + ["vouched"] * vouched
