"""``poolware measure``."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import click

from poolware.cli.output import amount, duration, print_json, print_table, progress
from poolware.cli.parameters import APP, BYTES, FUNCTION, HEADER, TARGET, Number, as_json, driven
from poolware.sizing.find import Site, find
from poolware.sizing.measure import Measurement
from poolware.sizing.measure import measure as measured
from poolware.sizing.memory import Churn, churned
from poolware.testing.drivers import Interface

__all__ = ["measure"]

_CLEARLY = 2
_SOURCE = 80
"""Characters of a line that are shown."""


@click.command()
@click.argument("target", type=TARGET, required=False)
@click.option("--use", type=FUNCTION, help="Called with each object, as a request would use it; .method works as well.")
@click.option("--reset", type=FUNCTION, help="Makes a used object as good as new; .method, such as .clear, as well.")
@click.option("--bytes", "used_bytes", type=BYTES, default=0, help="Of its memory: written by each use, then wiped.")
@click.option("--seconds", type=Number(0.05, 3600), default=1.0, show_default=True, help="How long to measure.")
@click.option("--find", "app", type=APP, help="Look for what is worth pooling in a WSGI or ASGI app instead.")
@click.option("--requests", type=click.IntRange(1, 100_000), default=50, show_default=True, help="For --find.")
@click.option("--path", "paths", multiple=True, metavar="'[METHOD] /PATH'", help="For --find; may be repeated. [/]")
@click.option("--header", "headers", type=HEADER, multiple=True, help="For --find; may be repeated.")
@click.option("--interface", type=click.Choice(["asgi", "wsgi"]), help="For --find, if it cannot be seen.")
@click.option("--top", type=click.IntRange(1, 1000), default=10, show_default=True, help="Lines shown by --find.")
@as_json
def measure(target: tuple[str, Any] | None, app: tuple[str, Any] | None, *, json_: bool, **options: Any) -> None:
    r"""Build an object fresh and take it from a pool, on this machine, and say which is cheaper.

    TARGET is a class or a function without arguments, as module:name. Both ways take turns in short rounds; the verdict
    holds for the whole 99 % interval of their ratio. Objects with a close() are closed. What allocates on its first use
    needs --use.

    \b
    Examples:
      poolware measure shop.images:make_canvas --bytes 512KiB
      poolware measure zstandard:ZstdCompressor --use shop.bench:compress_2_kb
      poolware measure --find shop.main:app --path /orders/17 --requests 100
    """
    if (target is None) == (app is None):
        msg = "it takes either a TARGET such as shop.images:make_canvas, or --find such as shop.main:app"
        raise click.UsageError(msg)
    if app is not None:
        _find(app, json_=json_, **options)
    elif target is not None:
        _measure(target, json_=json_, **options)


def _measure(
    target: tuple[str, Any],
    *,
    use: tuple[str, Any] | None,
    reset: tuple[str, Any] | None,
    used_bytes: int,
    seconds: float,
    json_: bool,
    **_of_find: Any,
) -> None:
    path, make = target
    paths, functions = zip(use or (None, None), reset or (None, None), strict=True)
    with progress(f"measuring {path}") as tell:
        found = measured(make, use=functions[0], reset=functions[1], used_bytes=used_bytes, seconds=seconds, tell=tell)
        churn = churned(path, use=paths[0], reset=paths[1], used_bytes=used_bytes)
    if json_:
        print_json({"target": path, "measurement": found, "churn": churn})
    else:
        _show(path, found, churn, used=bool(use or used_bytes))


def _show(path: str, found: Measurement, churn: Churn | None, *, used: bool) -> None:
    timing, even = found.timing, found.break_even
    python = f"{platform.python_implementation()} {platform.python_version()}"
    click.echo(f"{path} on {python}, {found.core} core\n")
    print_table(("a use", "fresh ", "pooled "), _rows(found, churn))
    click.echo(f"\n{found.sentence}")
    click.echo(
        f"pooled / fresh: {timing.ratio.median:.3g} [{timing.ratio.low:.3g}, {timing.ratio.high:.3g}],"
        f" the 99 % interval of {timing.rounds} rounds"
    )
    click.echo(
        f"a pool pays for what takes longer than {duration(even.overhead_s)} to build, use and let go of", nl=False
    )
    if even.saved_s > 0:
        click.echo(
            f"; here from the {even.uses:.0f}. use of each object on,\n"
            f"and it saves 1 % of a core at {even.rate_for_1_percent:,.0f} uses a second"
        )
    else:
        click.echo()
    if churn and found.verdict != "pool" and churn.fresh_s > _CLEARLY * churn.pooled_s:
        click.echo("with many in use at once a pool would pay: fresh memory comes from the system each time then")
    if found.context:
        click.echo("nobody builds contexts outside of a pool: docs/core.md has what they cost beside other objects")
    if found.held:
        click.echo(
            "its objects are referred to by themselves or their maker: measured in a holder that a pool can prove"
        )
    if not used:
        click.echo("nothing used the objects: what they allocate on first use is not in these figures (--use, --bytes)")


def _rows(found: Measurement, churn: Churn | None) -> list[tuple[str, str, str]]:
    fresh, pooled = found.timing.fresh, found.timing.pooled
    rows = [
        ("time", duration(fresh.seconds), duration(pooled.seconds)),
        ("allocations", f"{found.fresh_memory.allocations:g}", f"{found.pooled_memory.allocations:g}"),
        ("memory allocated", amount(found.fresh_memory.bytes), amount(found.pooled_memory.bytes)),
    ]
    if fresh.page_faults is not None and pooled.page_faults is not None:
        rows.append(("page faults", f"{fresh.page_faults:.3g}", f"{pooled.page_faults:.3g}"))
    if churn is not None:
        uses = f"process after {churn.uses:,} uses, 16 at once:"
        rows.append((f"{uses} time", duration(churn.fresh_s), duration(churn.pooled_s)))
        rows.append((f"{uses} at its peak", amount(churn.fresh_peak_bytes), amount(churn.pooled_peak_bytes)))
        rows.append((f"{uses} left", amount(churn.fresh_bytes), amount(churn.pooled_bytes)))
    return rows


def _find(
    app: tuple[str, Any],
    *,
    paths: tuple[str, ...],
    requests: int,
    headers: tuple[tuple[str, str], ...],
    interface: Interface | None,
    top: int,
    json_: bool,
    **_of_target: Any,
) -> None:
    path, application = app
    with driven(path), progress(f"sending requests to {path}") as tell:
        sites, answers = find(
            application, paths or ("/",), requests=requests, headers=dict(headers), interface=interface, tell=tell
        )
    if json_:
        print_json({"app": path, "requests": requests, "answers": answers, "sites": sites[:top]})
        return
    click.echo("answers: " + ", ".join(f"{count} x {answer}" for answer, count in answers.items()) + "\n")
    print_table(
        ("line", "time ", "share ", "memory ", "share ", "do", "because"), (_site(site) for site in sites[:top])
    )


def _site(site: Site) -> tuple[str, ...]:
    file = Path(site.file)
    place = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    shares = f"{site.time_share:.0%}", f"{site.bytes_share:.0%}"
    return (
        f"{place}:{site.line}\n  {site.source:.{_SOURCE}}",
        duration(site.seconds),
        shares[0],
        amount(site.bytes),
        shares[1],
        site.advice.kind,
        site.advice.hint,
    )
