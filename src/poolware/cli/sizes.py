"""What ``poolware size`` has found, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from poolware.cli.output import amount, duration, figure, print_table
from poolware.sizing.downstream import ShareOfLimit
from poolware.sizing.erlang import Waiting
from poolware.sizing.little import PoolSize

__all__ = ["show"]


def show(found: dict[str, Any], object_bytes: int) -> None:
    """Print whatever is in `found`."""
    if "pools" in found:
        _show_pools(found["pools"])
        return
    print_table(("", "", ""), _rows(found, object_bytes))
    for line in _remarks(found):
        click.echo(line)


def _rows(found: dict[str, Any], object_bytes: int) -> Iterator[tuple[str, str, str]]:
    if "pool" in found:
        yield from _of_pool(found["pool"])
    if "share" in found:
        share: ShareOfLimit = found["share"]
        yield "limit per process", str(share.per_process), f"{share.processes:,} processes, {share.spare} left over"
    if "waiting" in found:
        yield from _of_waiting(found["waiting"], f"a pool of {found['waiting'].size}")
    if "shared" in found:
        yield from _of_waiting(found["shared"], f"one pool of {found['shared'].size:,} for all, behind a proxy")
    if "database" in found:
        yield "connections that keep the database busy", str(found["database"]["connections"]), "2 x cores + disks"
    if "simulation" in found:
        yield from _of_simulation(found["simulation"], object_bytes)


def _of_pool(size: PoolSize) -> Iterator[tuple[str, str, str]]:
    yield "in use on average", figure(size.in_use), "Little's law: requests per second x seconds held"
    yield "minimum", str(size.minimum), "x idle"
    yield "initial", str(size.initial), "half way"
    yield "maximum", str(size.maximum), "x peak"


def _of_waiting(waits: Waiting, of: str) -> Iterator[tuple[str, str, str]]:
    yield (
        "wait",
        f"{waits.probability:.2%}",
        f"of the requests, for {of}; {waits.utilization:.0%} of it in use (Erlang C)",
    )
    yield "  mean, p99", f"{duration(waits.mean_s)}, {duration(waits.p99_s)}", ""


def _of_simulation(result: dict[str, Any], object_bytes: int) -> Iterator[tuple[str, str, str]]:
    yield "simulated", f"{result['requests']:,}", f"requests in {figure(result['seconds'])} s"
    yield "  hits", f"{result['hit_rate']:.2%}", "found an object ready"
    yield "  wait", f"{result['waited']:.2%}", "of the requests"
    yield "  mean, p99", f"{duration(result['wait_mean_s'])}, {duration(result['wait_p99_s'])}", ""
    yield "  in use on average", figure(result["in_use_mean"]), f"and {figure(result['waiting_mean'])} waiting"
    memory = f", {amount(result['objects_peak'] * object_bytes)} at the most" if object_bytes else ""
    yield "  objects", figure(result["objects_mean"]), f"on average, {result['objects_peak']:,} at the most{memory}"
    yield "  built", f"{result['built']:,}", "beyond those of the start"


def _remarks(found: dict[str, Any]) -> Iterator[str]:
    if "waiting" in found and found["waiting"].utilization >= 1:
        yield "More comes in than this pool can serve: its queue grows without end."
    if "share" in found and "pool" in found and found["share"].per_process < found["pool"].maximum:
        yield "The limit allows less than the peak needs: requests wait then, or share connections through a proxy."
    if "share" in found and "database" in found and found["share"].used > found["database"]["connections"]:
        yield "Full pools open more connections than keep the database busy: the rest wait inside of it."


def _show_pools(pools: list[dict[str, Any]]) -> None:
    def row(pool: dict[str, Any]) -> tuple[str, ...]:
        size: PoolSize | None = pool["size"]
        figures = [figure(size.in_use), *map(str, (size.minimum, size.initial, size.maximum))] if size else ["-"] * 4
        return pool["name"], figure(pool["acquired"] / pool["observed_s"]), str(pool["peak"]), *figures

    print_table(("pool", "per second ", "peak ", "in use ", "minimum ", "initial ", "maximum "), map(row, pools))
