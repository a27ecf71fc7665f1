"""The results as rows of text, for the terminal, Markdown and HTML alike."""

from collections.abc import Iterator

from poolware_compare.results import CaseResult, Results
from poolware_compare.statistics import FEWEST_ROUNDS, Interval

ALLOWED_LATE = 0.01
ALLOWED_BUSY = 0.5
"""Of each process, where there is a rate: the load generator should be able to do twice of what is asked of it."""
LATENCIES = ("p50", "p95", "p99", "max")


def headings(results: Results) -> list[str]:
    """Return the titles of the summary's columns: CPU µs per request of each arm, and what the last one gains."""
    *others, last = results.settings["arms"]
    return ["", *others, last, *(f"{other} ÷ {last}" for other in others), "verdict"]


def rows(results: Results, app: str) -> Iterator[list[str]]:
    """Yield a row for each case of an app."""
    *others, last = results.settings["arms"]
    for case in results.cases:
        if case.app == app:
            costs = [
                f"{case.arms[arm].cpu_us_per_request.median:.1f}" if arm in case.arms else "–"
                for arm in [*others, last]
            ]
            gains = [ratio(case.ratios.get(f"{other}/{last}")) for other in others]
            yield [case.scenario, *costs, *gains, case.verdicts.get(last, "–")]


def apps(results: Results) -> dict[str, str]:
    """Return the apps with results, and their servers."""
    return {case.app: case.server for case in results.cases}


def detail_headings() -> list[str]:
    """Return the titles of the columns of `details`."""
    return [
        *("", "requests", "CPU µs/req", "req/s", *(f"{name} ms" for name in LATENCIES)),
        *("faults/req", "RSS MiB", "growth", "collections", "pauses ms", "longest", "driver busy"),
    ]


def details(case: CaseResult) -> Iterator[list[str]]:
    """Yield everything that was measured of each arm of a case."""
    for name, arm in case.arms.items():
        cost = arm.cpu_us_per_request
        yield [
            name,
            str(arm.requests),
            f"{cost.median:.1f} [{cost.low:.1f}, {cost.high:.1f}]",
            f"{arm.requests_per_second:.0f}",
            *(f"{arm.latency_ms[percentile]:.2f}" for percentile in LATENCIES),
            f"{arm.minor_faults_per_request:.1f}",
            f"{arm.rss_mib:.1f}",
            f"{arm.rss_growth_mib:+.1f}",
            str(arm.collections),
            f"{arm.pause_ms:.1f}",
            f"{arm.longest_pause_ms:.2f}",
            f"{arm.driver_busy:.0%}",
        ]


def ratio(value: Interval | None) -> str:
    """Return a ratio with its interval."""
    return f"{value.median:.2f} [{value.low:.2f}, {value.high:.2f}]" if value else "–"


def conclusions(results: Results) -> list[str]:
    """Return what the A/A controls say about each app's figures."""
    if not results.controls and results.cases:
        return ["The A/A control was not reached: nothing here can be claimed."]
    found = []
    for app, control in results.controls.items():
        text = f"{app}: two equal servers ({control.arm}, {control.scenario}) came out at {control.ratio}"
        if control.contains_one:
            text += f"; differences up to {control.smallest_claim_percent:.1f} % say nothing."
        else:
            text = f"WARNING: {text}. The machine was not quiet: nothing is claimed. Run it again, or with more rounds."
        found.append(text)
    return found


def warnings(results: Results) -> list[str]:
    """Return what a reader has to know before the figures."""
    found = (
        ["PARTIAL: the run did not come to its end; this is what was measured until then."] if results.partial else []
    )
    found += results.environment.notes
    if any(ratio.rounds < FEWEST_ROUNDS for case in results.cases for ratio in case.ratios.values()):
        found.append(f"From fewer than {FEWEST_ROUNDS} rounds nothing is claimed.")
    for case in results.cases:
        for name, arm in case.arms.items():
            where = f"{case.app} {case.scenario}, {name}"
            if arm.late > ALLOWED_LATE * arm.requests:
                found.append(f"{where}: {arm.late} of {arm.requests} requests left late: the rate was too much.")
            if results.settings["rate"] and arm.driver_busy > ALLOWED_BUSY:
                found.append(f"{where}: the load generator was busy for {arm.driver_busy:.0%} of the time.")
    return found


def text(results: Results) -> str:
    """Return the summary for a terminal."""
    lines = [*(f"NOTE: {warning}" for warning in warnings(results)), *conclusions(results), ""]
    for app, server in apps(results).items():
        table = [[f"{app} on {server}", *headings(results)[1:]], *rows(results, app)]
        widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
        for first, *cells, last in table:
            body = "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths[1:-1], strict=True))
            lines.append(f"{first:<{widths[0]}}  {body}  {last}")
        lines.append("")
    if results.cases:
        lines.append("CPU µs per request; a ÷ b: how many times as much a costs, with its 95 % interval.")
    return "\n".join([*lines, *soak_lines(results)])


def soak_lines(results: Results) -> list[str]:
    """Return what a soak found."""
    soak = results.soak
    if soak is None:
        return []
    end = f"{soak.seconds:.0f} s, {soak.requests} requests, {len(soak.samples)} samples"
    return [f"soak of {soak.app} {soak.scenario} on {soak.server}, {soak.arm}: {end}", *(soak.findings or ["flat"])]
