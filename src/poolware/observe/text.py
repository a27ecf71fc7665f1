"""What the processes of this machine say of their pools, for a terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from poolware.observe.shared import merged, read_all
from poolware.observe.snapshot import PoolSnapshot

__all__ = ["report"]

_COLUMNS = ("pool", "kind", "processes", "in use", "idle", "limit", "waiting", "acquired", "hit rate", "escaped")


def report(directory: str | os.PathLike[str] | None = None, *, as_json: bool = False) -> str:
    """Return a table of all pools, those of one name together, and the alerts that fire.

    Args:
        directory: where the processes publish; as for `Share`.
        as_json: what each process says, as it is.

    Raises:
        ConfigurationError: the directory belongs to somebody else, or others can look into it.
    """
    said = read_all(directory)
    if as_json:
        return json.dumps(said, indent=2)
    if not said:
        return "No process publishes figures of its pools; poolware.observe.start(share=Share()) makes one do so."
    lines = _table([_COLUMNS, *map(_row, merged(said))])
    for one in said:
        lines += [
            f"{alert['severity'].upper()} in process {one['process']['pid']}: {alert['rule']}, pool {alert['pool']!r}: "
            f"{alert['says']}. {alert['advice']}"
            for alert in one["alerts"]
        ]
    return "\n".join(lines)


def _row(pool: PoolSnapshot) -> Sequence[str]:
    limit = pool.limits.get("max_size", pool.limits.get("max_idle"))
    rate = pool.hit_rate
    return (
        pool.pool,
        pool.kind,
        str(pool.processes),
        *(_figure(figure) for figure in (pool.gauges["in_use"], pool.gauges["idle"], limit)),
        _figure(pool.gauges.get("waiting")),
        _figure(pool.counters["acquired"]),
        "-" if rate is None else f"{rate:.1%}",
        _figure(pool.counters.get("escaped")),
    )


def _figure(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:,.0f}"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)  # noqa: PLR2004 - names to the left, figures right
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
