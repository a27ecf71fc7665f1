"""The results as rows of text, for the terminal and the report alike."""

from collections.abc import Iterator

from loadtests.results import Results, ScenarioResult
from loadtests.statistics import Interval

FIGURES = ("req/s", "p50 ms", "p95 ms", "p99 ms", "RSS MiB", "verdict")


def headings(results: Results) -> list[str]:
    """Return the titles of the columns that follow the arm's name."""
    return ["CPU µs/req", *(f"× {arm}" for arm in references(results)), *FIGURES]


def references(results: Results) -> list[str]:
    """Return the arms that every arm is put in relation to: the baseline and `on`."""
    return list(dict.fromkeys([results.settings["baseline"], *({"on"} & results.settings["arms"].keys())]))


def rows(results: Results, scenario: ScenarioResult) -> Iterator[tuple[str, list[str]]]:
    """Yield each arm of the plan that has results, with the texts of its columns."""
    for name in results.settings["arms"]:
        if name not in scenario.arms:
            continue
        arm = scenario.arms[name]
        yield (
            name,
            [
                f"{arm.cpu_us_per_request.median:.1f}",
                *(
                    "1" if name == reference else ratio(scenario.ratios.get(f"{name}/{reference}"))
                    for reference in references(results)
                ),
                f"{arm.requests_per_second:.0f}",
                *(f"{arm.latency_ms[percentile]:.2f}" for percentile in ("p50", "p95", "p99")),
                f"{arm.rss_mib:.1f}",
                scenario.verdicts.get(name, "–"),
            ],
        )


def ratio(value: Interval | None) -> str:
    """Return a ratio with its interval."""
    return f"{value.median:.2f} [{value.low:.2f}, {value.high:.2f}]" if value else "–"


def conclusion(results: Results) -> str:
    """Return what the A/A control says about the whole run."""
    control = results.control
    if control is None:
        return "The A/A control was not reached: nothing here can be claimed."
    found = f"two equal servers ({control.arm}, {control.scenario}) came out at {control.ratio.median:.3f}"
    found += f" [{control.ratio.low:.3f}, {control.ratio.high:.3f}]"
    claim = f"this run can claim nothing under {control.smallest_claim_percent:.1f} %"
    if control.contains_one:
        return f"A/A control: {found}; {claim}."
    return f"WARNING: the A/A control does not contain 1: {found}. The machine was not quiet; {claim}."


def text(results: Results) -> str:
    """Return the whole table for a terminal of 120 columns."""
    lines = ["PARTIAL: the run was interrupted.", ""] if results.partial else []
    lines += [f"NOTE: {note}" for note in results.environment.notes]
    lines += [conclusion(results), ""]
    for name, scenario in results.scenarios.items():
        lines.append(_line(name, headings(results)))
        lines.extend(_line(f"  {arm}", columns) for arm, columns in rows(results, scenario))
        lines.append("")
    lines.append("× is a ratio of CPU per request with its 95 % interval: below 1 is cheaper.")
    return "\n".join(lines)


def _line(first: str, columns: list[str]) -> str:
    *figures, verdict = columns
    ratios = figures[1 : -len(FIGURES) + 1]
    cells = [f"{first:<11}", f"{figures[0]:>10}", *(f"{cell:>18}" for cell in ratios)]
    cells += [f"{cell:>7}" for cell in figures[len(ratios) + 1 :]]
    return " ".join([*cells, f" {verdict}"])
