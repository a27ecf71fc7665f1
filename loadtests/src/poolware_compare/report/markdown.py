"""The summary as Markdown, for a README."""

from collections.abc import Sequence

from poolware_compare.report import table
from poolware_compare.results import Results


def page(results: Results) -> str:
    """Return the tables of all apps with what has to be said about them."""
    environment = results.environment
    where = f"{environment.python}, {environment.cpu}, {environment.cores} cores, {environment.poolware_core} core"
    lines = [
        f"{where}; server CPU per request in µs, and how many times as much the others cost, with 95 % intervals.",
        "",
        *(f"- {text}" for text in [*table.warnings(results), *table.conclusions(results)]),
        "",
    ]
    for app, server in table.apps(results).items():
        heads = [f"{app} on {server}", *table.headings(results)[1:]]
        lines += [_row(heads), _row(["---", *["--:"] * (len(heads) - 2), "---"])]
        lines += [*map(_row, table.rows(results, app)), ""]
    return "\n".join([*lines, *table.soak_lines(results)]).rstrip() + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
