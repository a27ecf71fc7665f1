"""The report: one HTML file with everything in it."""

from html import escape
from pathlib import Path
from string import Template

from loadtests import plots, table
from loadtests.results import Results, ScenarioResult

TEMPLATE = Path(__file__).with_name("report.template.html")


def write(results: Results, path: Path) -> None:
    """Write the report as a self-contained HTML file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(results), encoding="utf-8")


def page(results: Results) -> str:
    """Return the report."""
    control = results.control
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(
        subtitle=escape(f"{results.created} · revision {results.environment.git_revision}"),
        warnings="".join(f'<p class="warning">{escape(warning)}</p>' for warning in _warnings(results)),
        conclusion=escape(table.conclusion(results)) if control and control.contains_one else "",
        tables="".join(_table(results, name, scenario) for name, scenario in results.scenarios.items()),
        cpu_plot=plots.cpu_per_request(results) if results.scenarios else "",
        latency_plot=plots.latencies(results) if results.scenarios else "",
        arms=_definitions({name: _arm(arm["app"], arm["variables"]) for name, arm in results.settings["arms"].items()}),
        environment=_definitions(_environment(results)),
    )


def _warnings(results: Results) -> list[str]:
    warnings = ["The run was interrupted: this is only a part."] if results.partial else []
    warnings += results.environment.notes
    if results.control is None or not results.control.contains_one:
        warnings.append(table.conclusion(results))
    return warnings


def _table(results: Results, name: str, scenario: ScenarioResult) -> str:
    heads = "".join(f"<th>{escape(heading)}</th>" for heading in table.headings(results))
    lines = []
    for arm, columns in table.rows(results, scenario):
        *figures, verdict = (escape(column) for column in columns)
        cells = "".join(f"<td>{figure}</td>" for figure in figures)
        mark = verdict.replace(" ", "-")
        lines.append(f'<tr><th>{escape(arm)}</th>{cells}<td class="{mark}">{verdict}</td></tr>')
    return (
        f"<h3>{escape(name)}</h3><div class=wide><table><thead><tr><th></th>{heads}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _arm(app: str, variables: dict[str, str]) -> str:
    return " ".join([app, *(f"{name}={value}" for name, value in variables.items())])


def _environment(results: Results) -> dict[str, str]:
    environment, settings = results.environment, results.settings
    return {
        "CPU": f"{environment.cpu}, {environment.cores} cores, load average {environment.load_average} at the start",
        "System": f"{environment.platform}, {environment.python}",
        "Packages": ", ".join(f"{name} {version}" for name, version in environment.packages.items()),
        "Load": f"{settings['users']} users without pauses, {settings['rounds']} rounds of {settings['seconds']} s"
        " for each arm and scenario",
    }


def _definitions(entries: dict[str, str]) -> str:
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in entries.items())
