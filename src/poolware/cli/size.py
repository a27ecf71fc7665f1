"""``poolware size``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from poolware.cli.output import print_json, progress
from poolware.cli.parameters import BYTES, Number, as_json
from poolware.cli.sizes import show
from poolware.sizing.downstream import connections_that_work, share_of_limit
from poolware.sizing.erlang import size_for_wait, waiting
from poolware.sizing.little import LARGEST, pool_size
from poolware.sizing.live import fetch

__all__ = ["size"]

COUNT = click.IntRange(1, LARGEST)
_ABOVE_0 = Number(above=0)


@click.command()
@click.option("--rps", type=_ABOVE_0, help="Requests per second that need an object, of all processes together.")
@click.option("--hold-ms", type=_ABOVE_0, help="Milliseconds for which a request keeps its object, on average.")
@click.option("--peak", type=Number(1, 1000), default=1.5, show_default=True, help="Busiest load, times the average.")
@click.option("--idle", type=Number(0, 1), default=0.5, show_default=True, help="Share of the average to keep ready.")
@click.option("--size", "objects", type=COUNT, help="Waits for a pool of so many, instead of the size found.")
@click.option("--p99-ms", type=Number(), help="Find the smallest pool in which 99 % wait no longer than this.")
@click.option("--connections", type=COUNT, help="Limit of the database or service behind all pools.")
@click.option("--servers", type=COUNT, default=1, show_default=True, help="Machines or containers.")
@click.option("--workers", type=COUNT, default=1, show_default=True, help="Processes on each of them.")
@click.option("--reserved", type=click.IntRange(0, LARGEST), default=0, help="Connections kept for other purposes.")
@click.option("--db-cores", type=COUNT, help="Cores of the database server: how many connections keep it busy?")
@click.option("--db-disks", type=click.IntRange(0, LARGEST), default=1, show_default=True, help="Its spindles.")
@click.option("--from", "url", metavar="URL", help="Size running pools by what they have seen; see docs/sizing.md.")
@click.option("--simulate", "requests", type=click.IntRange(1, 20_000_000), help="Let so many requests come.")
@click.option("--arrivals", type=click.Choice(["poisson", "constant", "bursts", "diurnal"]), default="poisson")
@click.option(
    "--hold", type=click.Choice(["exponential", "constant", "lognormal", "hyperexponential"]), default="exponential"
)
@click.option("--when-empty", type=click.Choice(["wait", "build"]), default="wait", help="Queue, or build one more.")
@click.option("--growth", type=click.Choice(["when_empty", "watermark", "lease_rate"]), default="when_empty")
@click.option("--create-ms", type=Number(), default=0.0, help="What building an object takes.")
@click.option("--idle-timeout", type=_ABOVE_0, help="Seconds after which an idle object goes.")
@click.option("--object-bytes", type=BYTES, default=0, help="Of each object, for the memory that they take.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw it: .svg, .png or .pdf.")
@as_json
@click.pass_context
def size(ctx: click.Context, /, *, url: str | None, json_: bool, **options: Any) -> None:
    r"""Say how large a pool should be, and what requests wait for it.

    By Little's law, Erlang's waiting formula and the limit of what stands behind the pool; by what running pools have
    seen; or by simulation, for loads and pools that no formula covers. Sizes are those of one process's pool.

    \b
    Examples:
      poolware size --rps 500 --hold-ms 20 --peak 2.0 --idle 0.5
      poolware size --rps 500 --hold-ms 20 --p99-ms 5
      poolware size --connections 100 --servers 8 --reserved 4
      poolware size --rps 500 --hold-ms 20 --arrivals bursts --create-ms 3 --simulate 1000000 --plot pool.svg
      poolware size --from http://127.0.0.1:8000/pools
    """
    _complain_about_what_is_unused(ctx, url=url, **options)
    found = _live(url, options["idle"]) if url else _found(options)
    if json_:
        print_json(found)
    else:
        show(found, options["object_bytes"])


def _live(url: str, idle: float) -> dict[str, Any]:
    return {"pools": [asdict(pool) | {"size": pool.size(idle=idle)} for pool in fetch(url)]}


def _found(options: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    processes = options["servers"] * options["workers"]
    most = None
    if options["connections"]:
        share = share_of_limit(
            options["connections"], options["servers"], workers=options["workers"], reserved=options["reserved"]
        )
        most, found["share"] = share.per_process, share
    if options["db_cores"]:
        found["database"] = {"connections": connections_that_work(options["db_cores"], options["db_disks"])}
    if options["rps"]:
        found |= _for_load(options, options["rps"] / processes, options["hold_ms"] / 1000, most)
    if most and options["rps"] and processes > 1:
        available = options["connections"] - options["reserved"]
        found["shared"] = waiting(available, options["rps"], options["hold_ms"] / 1000)
    if options["requests"]:
        found["simulation"] = _simulated(options, processes, found)
    return found


def _for_load(options: dict[str, Any], rate: float, hold_s: float, most: int | None) -> dict[str, Any]:
    found = pool_size(rate, hold_s, peak=options["peak"], idle=options["idle"])
    if options["p99_ms"] is not None:
        return {"pool": found, "waiting": size_for_wait(rate, hold_s, options["p99_ms"] / 1000)}
    objects = options["objects"] or min(found.maximum, most or found.maximum)
    return {"pool": found, "waiting": waiting(objects, rate, hold_s)}


def _simulated(options: dict[str, Any], processes: int, found: dict[str, Any]) -> Any:
    try:
        from poolware.sizing.simulate import Scenario, simulate  # noqa: PLC0415 - numpy is an extra
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    scenario = Scenario(
        rate=options["rps"],
        hold_s=options["hold_ms"] / 1000,
        requests=options["requests"],
        processes=processes,
        max_size=found["waiting"].size,
        min_size=min(found["pool"].minimum, found["waiting"].size),
        peak=options["peak"],
        create_s=options["create_ms"] / 1000,
        idle_timeout_s=options["idle_timeout"],
        **{name: options[name] for name in ("arrivals", "hold", "growth", "when_empty", "seed")},
    )
    with progress(f"simulating {options['requests']:,} requests"):
        result = simulate(scenario)
    return _drawn(result, options)


def _drawn(result: Any, options: dict[str, Any]) -> dict[str, Any]:
    if options["plot"]:
        try:
            from poolware.sizing.plot import plot  # noqa: PLC0415 - matplotlib is an extra

            plot(result, options["plot"], limit=options["connections"], object_bytes=options["object_bytes"])
        except ModuleNotFoundError as error:
            raise _missing(error) from error
        except OSError as error:
            msg = f"--plot {options['plot']}: {error.strerror}; it takes a file that can be written"
            raise click.UsageError(msg) from error
    rows = asdict(result)
    timeline = {name: values.tolist() for name, values in rows["timeline"].items()}
    return rows | {"timeline": timeline, "bytes_peak": result.objects_peak * options["object_bytes"]}


def _missing(error: ModuleNotFoundError) -> click.UsageError:
    return click.UsageError(f"this needs {(error.name or '').partition('.')[0]}: pip install 'poolware[simulate]'")


_SIMULATION = ("arrivals", "hold", "when_empty", "growth", "create_ms", "idle_timeout", "object_bytes", "seed", "plot")
_LOAD = ("peak", "idle", "objects", "p99_ms", "requests")


def _complain_about_what_is_unused(ctx: click.Context, **options: Any) -> None:
    """Refuse incomplete questions, and options that would change nothing."""
    given = {
        name for name in options if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    }  # from the command line, a prompt or the environment
    if options["url"]:
        _refuse(ctx, given - {"url", "idle"}, "do not go with --from URL")
        return
    if (options["rps"] is None) != (options["hold_ms"] is None):
        msg = "--rps and --hold-ms go together"
        raise click.UsageError(msg)
    if not (options["rps"] or options["connections"] or options["db_cores"]):
        msg = "it takes --rps and --hold-ms, --connections and --servers, --db-cores, or --from URL; see --help"
        raise click.UsageError(msg)
    if not options["rps"]:
        _refuse(ctx, given & {*_LOAD, *_SIMULATION}, "needs --rps and --hold-ms")
    if not options["requests"]:
        _refuse(ctx, given & {*_SIMULATION}, "needs --simulate")
    if not options["connections"]:
        _refuse(ctx, given & {"reserved"}, "needs --connections")
    if options["objects"] and options["p99_ms"] is not None:
        msg = "--size and --p99-ms exclude each other"
        raise click.UsageError(msg)


def _refuse(ctx: click.Context, names: set[str], why: str) -> None:
    if names:
        flags = sorted(param.opts[0] for param in ctx.command.params if param.name in names)
        msg = f"{', '.join(flags)} {why}"
        raise click.UsageError(msg)
