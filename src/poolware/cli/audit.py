"""``poolware audit``."""

from __future__ import annotations

import sys
from typing import Any

import click

from poolware.cli.output import print_json, progress
from poolware.cli.parameters import APP, HEADER, as_json, driven
from poolware.testing import assert_isolated
from poolware.testing.drivers import Interface

__all__ = ["audit"]


@click.command()
@click.argument("app", type=APP)
@click.option(
    "--path", "paths", multiple=True, metavar="'[METHOD] /PATH'", help="What to ask for; may be repeated. [/]"
)
@click.option("--method", default="GET", show_default=True, help="For paths that name none.")
@click.option("--header", "headers", type=HEADER, multiple=True, help="Sent with every request; may be repeated.")
@click.option("--requests", type=click.IntRange(1, 1_000_000), default=200, show_default=True)
@click.option("--concurrency", type=click.IntRange(1, 1000), default=8, show_default=True)
@click.option("--interface", type=click.Choice(["asgi", "wsgi"]), help="How to call the app, if it cannot be seen.")
@as_json
def audit(
    *,
    app: tuple[str, Any],
    paths: tuple[str, ...],
    method: str,
    headers: tuple[tuple[str, str], ...],
    requests: int,
    concurrency: int,
    interface: Interface | None,
    json_: bool,
) -> None:
    r"""Send requests to an app that uses poolware, and look whether anything of one reaches another.

    Each request fills its context with dirt before it ends; some clients leave, stop reading or are cancelled. Exit
    status 1 says that something arrived dirty, leaked, or was held or used too late. The app runs in this process.

    \b
    Examples:
      poolware audit shop.main:app
      poolware audit shop.main:app --path /orders/17 --path 'POST /orders' --header 'Authorization: Bearer test'
    """
    asked = [path if path.strip().count(" ") else f"{method} {path}" for path in paths or ("/",)]
    try:
        with driven(app[0]), progress(f"{requests} requests"):
            report = assert_isolated(
                app[1], asked, requests=requests, concurrency=concurrency, headers=dict(headers), interface=interface
            )
    except AssertionError as error:
        if json_:
            print_json({"isolated": False, "findings": str(error).splitlines()})
        else:
            click.echo(str(error))
        sys.exit(1)
    if json_:
        print_json({"isolated": True} | vars(report))
        return
    answers = ", ".join(f"{count} x {answer}" for answer, count in report.answers.most_common())
    click.echo(f"isolated: {report.requests} requests, {report.contexts} contexts for {report.arrivals} of them")
    click.echo(f"answers: {answers}")
