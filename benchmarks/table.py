"""The rows as text."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from benchmarks.rows import Row


def table(rows: Iterable[Row]) -> str:
    """Return one block of aligned columns a section."""
    blocks = []
    for section, members in groupby(rows, key=lambda row: row.section):
        cells = [_cells(row) for row in members]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
        blocks.append("\n".join([section, *lines]))
    return "\n\n".join(blocks)


def markdown(rows: Iterable[Row]) -> str:
    """Return one table for documentation, with the twins side by side."""
    lines = [
        "| | what | over | compiled | | plain Python | | asked of the compiled |",
        "|---|---|---|--:|--:|--:|--:|---|",
    ]
    pairs: dict[tuple[str, ...], dict[str, Row]] = {}
    for row in rows:
        _, twin, subject, _, _, over, _ = _cells(row)
        pairs.setdefault((row.section, subject, over.removeprefix("of ")), {})[twin] = row
    for (section, subject, over), twins in pairs.items():
        figures = [figure for twin in ("compiled", "python") for figure in _figures(twins.get(twin))]
        verdict = _verdict(twins["compiled"]) if "compiled" in twins else ""
        lines.append(f"| {' | '.join([section, subject, over, *figures, verdict])} |")
    return "\n".join(lines)


def _figures(row: Row | None) -> tuple[str, str]:
    return ("-", "-") if row is None else (_cost(row), row.note or _ratio(row))


def _cells(row: Row) -> tuple[str, ...]:
    subject = f"{row.subject} - {row.without}" if row.without else row.subject
    over = f"{row.over} - {row.without}" if row.without else row.over
    return "", row.twin, subject, _cost(row), _ratio(row), f"of {over}", row.note or _verdict(row)


def _cost(row: Row) -> str:
    if row.cost is None:
        return "-"
    if row.unit != "ns":
        return f"{row.cost:,.0f} {row.unit}"
    size = abs(row.cost)
    scale, unit = (1, "ns") if size < 1e3 else (1e3, "us") if size < 1e6 else (1e6, "ms")
    return f"{row.cost / scale:.3g} {unit}" if size < 1e9 else f"{row.cost / 1e9:.3g} s"


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return "-"
    if row.ratio.low == row.ratio.high:
        return f"{row.ratio.median:.2f}x"
    return f"{row.ratio.median:.2f}x [{row.ratio.low:.2f}, {row.ratio.high:.2f}]"


def _verdict(row: Row) -> str:
    if row.target is None:
        return ""
    verdict = {True: "met", False: "missed", None: "lost in the noise"}[row.met]
    return f"at most {row.target:.2f}x: {verdict}"
