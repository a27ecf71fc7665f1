"""The command `poolware compare`."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from poolware_compare import interruption, regression
from poolware_compare.arms import APPS, KITS
from poolware_compare.errors import ComparisonError
from poolware_compare.launch import SERVERS
from poolware_compare.network import NETWORKS
from poolware_compare.parameters import SCENARIOS, Finite, Names
from poolware_compare.planning import checked, planned
from poolware_compare.report import markdown, table
from poolware_compare.results import Results
from poolware_compare.running import compared, soaked
from poolware_compare.shapes import NAMES

FAILED = 1
INTERRUPTED = 130


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option(
    "--app",
    default="starlette",
    metavar="NAMES|MODULE:APP",
    help=f"Some of {','.join(APPS)}, which come along; or your own application.",
)
@click.option("--locustfile", metavar="FILE", help="The requests for your own application.")
@click.option("--tags", type=Names(()), metavar="A,B", help="Of your own Locust file, only the tasks with these tags.")
@click.option(
    "--server",
    type=click.Choice(list(SERVERS)),
    help="[default: uvicorn; gunicorn-gthread for flask and django]",
)
@click.option(
    "--scenario",
    type=SCENARIOS,
    metavar="A,B",
    help="What is asked: all, demo, objects, or by name; an unknown name lists them.  [default: all]",
)
@click.option(
    "--arms",
    type=Names(KITS),
    metavar="A,B",
    help=f"Some of {','.join(KITS)}; the first is the baseline. Your own application has off and on.",
)
@click.option(
    "--revisions", type=Names((), least=2), metavar="A,B", help="Compare git revisions of your own application instead."
)
@click.option("--rounds", type=click.IntRange(2, 10_000), default=96, help="Rounds of each arm, at the least.")
@click.option(
    "--seconds",
    type=Finite(0.05, 86_400),
    help="Length of a round.  [default: 0.1; 5 with a rate, a shape or processes; 600 for a soak]",
)
@click.option("--users", type=click.IntRange(1, 10_000), default=16, help="How many ask at the same time.")
@click.option(
    "--rate",
    type=Finite(0.1, 1e6),
    help="Requests per second, whatever the server does.  [default: as many as are answered; 100 for a soak]",
)
@click.option("--shape", type=click.Choice(NAMES), default="constant", help="How the load goes within a round.")
@click.option(
    "--width",
    type=Finite(0.1, 100),
    metavar="PERCENT",
    help="Add rounds until all intervals reach no farther than this to each side …",
)
@click.option("--time-limit", type=Finite(1), default=600.0, metavar="SECONDS", help="… or a case took so long.")
@click.option("--processes", type=click.IntRange(1, 64), default=1, help="Processes that generate the load.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, help="Worker processes of each server.")
@click.option(
    "--network",
    type=click.Choice(list(NETWORKS)),
    default="loopback",
    help="namespace: the load comes from a network stack of its own; needs root.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/compare"),
    help="Where results.json, report.md and report.html go.",
)
@click.option(
    "--compare-to",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="An earlier results.json to compare with.",
)
@click.option(
    "--fail-on-regression",
    is_flag=True,
    help="Exit with 1 if --compare-to shows something worse; without it, if the last arm is a loss.",
)
def compare(out: Path, compare_to: Path | None, *, fail_on_regression: bool, **options: Any) -> None:
    """Load an application in several arms, and say which costs the server less.

    \b
    Exit status:
      0    done
      1    it could not be measured, a soak was not flat, or --fail-on-regression found something
      2    bad input; the message says what it takes
      130  interrupted; what was measured until then is in the report
    """
    click.get_current_context().with_resource(interruption.heard())
    _prepare(out)
    old = _earlier(compare_to) if compare_to else None
    try:
        with planned(asked := checked(options)) as plan:
            if old is not None and not old.knows(plan):
                msg = f"--compare-to: {compare_to} has none of the cases of this run with the same baseline"
                raise click.UsageError(msg)
            results, failure = (soaked if asked.soaking else compared)(plan)
    except ComparisonError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        click.echo("interrupted before anything was measured", err=True)
        sys.exit(INTERRUPTED)
    changes = regression.changes(old, results) if old else []
    try:
        _write(results, out, list(map(str, changes)))
    except OSError as error:
        click.echo(f"error: the report could not be written: {error}", err=True)
        sys.exit(FAILED)
    if failure:
        click.echo(f"error: {failure}", err=True)
        sys.exit(FAILED)
    sys.exit(_status(results, changes, against=old is not None, strict=fail_on_regression))


def _prepare(out: Path) -> None:
    """Refuse at once what would otherwise fail at the end."""
    if sys.platform != "linux":
        msg = "the CPU time of other processes can be read on Linux only"
        raise click.UsageError(msg)
    try:
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        msg = f"--out: {error}"
        raise click.UsageError(msg) from None


def _earlier(path: Path) -> regression.Earlier:
    try:
        return regression.read(path)
    except ComparisonError as error:
        msg = f"--compare-to: {error}"
        raise click.UsageError(msg) from None


def _write(results: Results, out: Path, changes: list[str]) -> None:
    from poolware_compare.report import html  # noqa: PLC0415 - matplotlib takes a second to load

    click.echo(table.text(results))
    for change in changes:
        click.echo(change)
    results.write(out / "results.json")
    (out / "report.md").write_text(markdown.page(results), encoding="utf-8")
    (out / "report.html").write_text(html.page(results, changes), encoding="utf-8")
    click.echo(f"\nFigures: {out / 'results.json'}\nReport:  {out / 'report.html'}, report.md")


def _status(results: Results, changes: list[regression.Change], *, against: bool, strict: bool) -> int:
    if results.partial:
        return INTERRUPTED
    if results.soak is not None and not results.soak.flat:
        return FAILED
    worse = [str(change) for change in changes if change.word == "worse"] if against else regression.losses(results)
    if strict and worse:
        click.echo("\n".join(["", "REGRESSION", *worse]), err=True)
        return FAILED
    return 0
