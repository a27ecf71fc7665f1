"""``flask poolware``: the pools of this machine's workers."""

from __future__ import annotations

import click

from poolware import ConfigurationError
from poolware.observe.text import report

__all__ = ["show_pools"]


@click.command("poolware")
@click.option("--directory", help="Where the workers publish; POOLWARE_SHARED_DIR by default.")
@click.option("--json", "as_json", is_flag=True, help="Print what each worker says, as JSON.")
def show_pools(directory: str | None, *, as_json: bool) -> None:
    """Show the pools of this machine's workers, as they publish them."""
    try:
        click.echo(report(directory, as_json=as_json))
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
