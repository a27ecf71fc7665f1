"""The commands under one name."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import click

import poolware
from poolware.cli.audit import audit
from poolware.cli.describe import describe
from poolware.cli.doctor import doctor
from poolware.cli.measure import measure
from poolware.cli.size import size

__all__ = ["commands"]

PLUGINS = "poolware.commands"


class Commands(click.Group):
    """The built-in commands and those of other distributions; what poolware refuses is a usage error."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *entry_points(group=PLUGINS).names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        built_in = super().get_command(ctx, cmd_name)
        if built_in is not None:
            return built_in
        for found in entry_points(group=PLUGINS, name=cmd_name):
            command = found.load()
            if isinstance(command, click.Command):
                return command
        return None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except poolware.ConfigurationError as error:
            raise click.UsageError(str(error)) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(poolware.__version__, package_name="poolware", message="poolware %(version)s")
def commands() -> None:
    r"""Should this object be pooled, how big should the pool be, and is nothing shared that must not be?

    \b
    Exit status:
      0  done, and nothing is wrong
      1  a check failed: audit found something shared, doctor something misconfigured
      2  bad input; the message says what it takes
    """


for _command in (audit, describe, doctor, measure, size):
    commands.add_command(_command)
