"""The report: one HTML file with everything in it."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template

from poolware_compare.report import gain_map, plots, table
from poolware_compare.results import Results

TEMPLATE = Path(__file__).with_name("page.html")


def page(results: Results, changes: Sequence[str] = ()) -> str:
    """Return the report; `changes` say how it compares to an earlier run."""
    by_app = {app: [case for case in results.cases if case.app == app] for app in table.apps(results)}
    arms = results.settings["arms"]
    mapped = gain_map.points(results)
    sections = [
        *(_section(f"{app} on {server}", _summary(results, app)) for app, server in table.apps(results).items()),
        _section("Against the earlier run", _list(changes)) if changes else "",
        _section("Gain map", gain_map.EXPLANATION, _wide(gain_map.draw(mapped))) if mapped else "",
        _section("Soak", _list(table.soak_lines(results)), _wide(plots.soak(results.soak))) if results.soak else "",
    ]
    for name, note, draw in plots.ALL:
        drawn = [f"<h3>{escape(app)}</h3>{_wide(draw(cases, arms))}" for app, cases in by_app.items()]
        sections += [_section(name, f"<p>{note}</p>", *drawn)] if drawn else []
    details = [
        f"<h3>{escape(f'{case.app} {case.scenario}')}</h3>{_table(table.detail_headings(), table.details(case))}"
        for case in results.cases
    ]
    sections += [_section("Everything measured", *details)] if details else []
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        subtitle=escape(f"{results.created} · revision {results.environment.git_revision}"),
        warnings="".join(f'<p class="warning">{escape(warning)}</p>' for warning in table.warnings(results)),
        conclusions=_list(table.conclusions(results)),
        sections="".join(sections),
        environment=_definitions(_environment(results)),
    )


def _section(title: str, *content: str) -> str:
    return f"<h2>{escape(title)}</h2>{''.join(content)}"


def _summary(results: Results, app: str) -> str:
    return _table(table.headings(results), table.rows(results, app))


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    return _wide(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _cells(row: Sequence[str]) -> str:
    first, *cells = row
    marked = (f'<td class="{escape(cell)}">' if cell in {"gain", "loss"} else "<td>" for cell in cells)
    return f"<th>{escape(first)}</th>" + "".join(
        f"{mark}{escape(cell)}</td>" for mark, cell in zip(marked, cells, strict=True)
    )


def _wide(content: str) -> str:
    return f'<div class="wide">{content}</div>'


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _environment(results: Results) -> dict[str, str]:
    environment, settings = results.environment, results.settings
    pace = f"{settings['rate']} requests/s" if settings["rate"] else "without pauses"
    return {
        "CPU": f"{environment.cpu}, {environment.cores} cores, load average {environment.load_average} at the start",
        "System": f"{environment.platform}, {environment.python}, {environment.poolware_core} core",
        "Packages": ", ".join(f"{name} {version}" for name, version in environment.packages.items()),
        "Load": f"{settings['users']} users, {pace}, shape {settings['shape']}, {settings['processes']} processes"
        f" ({settings['network']}); {settings['rounds']} rounds of {settings['seconds']} s or more for each arm and"
        f" case, servers started anew every {settings['restart_every']} rounds, {settings['workers']} workers",
        **{f"App {name}": path for name, path in settings["apps"].items()},
        **{f"Arm {name}": " ".join(f"{key}={value}" for key, value in variables.items()) or "as it is"
           for name, variables in settings["variables"].items()},
    }  # fmt: skip


def _definitions(entries: dict[str, str]) -> str:
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in entries.items())
