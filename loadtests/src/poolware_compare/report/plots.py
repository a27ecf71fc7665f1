"""The report's plots: a panel a case, and the course of a soak."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes

from poolware_compare.report.figures import INK, colours, drawing
from poolware_compare.results import ArmResult, CaseResult
from poolware_compare.soak import SoakResult

PERCENTILES = ("p50", "p95", "p99")
COLUMNS = 3

Draw = Callable[[Axes, dict[str, ArmResult], dict[str, str]], None]


def cpu(panel: Axes, arms: dict[str, ArmResult], colour: dict[str, str]) -> None:
    """Draw the CPU per request of each arm with its interval."""
    for place, (name, arm) in enumerate(arms.items()):
        cost = arm.cpu_us_per_request
        panel.barh(place, cost.median, height=0.6, color=colour[name])
        reach = [[max(0, cost.median - cost.low)], [max(0, cost.high - cost.median)]]
        panel.errorbar(cost.median, place, xerr=reach, color=INK, capsize=4, linewidth=1.2)
        _label(panel, f"{cost.median:.1f}", cost.high, place)
    _bars(panel, list(arms), max(arm.cpu_us_per_request.high for arm in arms.values()))
    panel.set_xlabel("CPU µs per request")


def throughput(panel: Axes, arms: dict[str, ArmResult], colour: dict[str, str]) -> None:
    """Draw the requests a second of each arm."""
    for place, (name, arm) in enumerate(arms.items()):
        panel.barh(place, arm.requests_per_second, height=0.6, color=colour[name])
        _label(panel, f"{arm.requests_per_second:.0f}", arm.requests_per_second, place)
    _bars(panel, list(arms), max(arm.requests_per_second for arm in arms.values()))
    panel.set_xlabel("requests/s")


def latencies(panel: Axes, arms: dict[str, ArmResult], colour: dict[str, str]) -> None:
    """Draw the latency percentiles of each arm."""
    for name, arm in arms.items():
        values = [arm.latency_ms[percentile] for percentile in PERCENTILES]
        panel.plot(PERCENTILES, values, marker="o", color=colour[name], label=name)
    panel.set_ylim(bottom=0)
    panel.margins(x=0.12)
    panel.set_ylabel("ms")
    panel.grid(axis="y")
    panel.legend(frameon=False, fontsize=9)


def _panels(draw: Draw) -> Callable[[Sequence[CaseResult], list[str]], str]:
    def drawn(cases: Sequence[CaseResult], names: list[str]) -> str:
        columns = min(COLUMNS, len(cases))
        lines = -(-len(cases) // columns)
        with drawing(4.0 * columns, 2.7 * lines) as picture:
            panels = picture.figure.subplots(lines, columns, squeeze=False).flat
            for case, panel in zip(cases, panels, strict=False):
                draw(panel, case.arms, colours(names))
                panel.set_title(case.scenario, fontweight="bold")
            for spare in list(panels):
                spare.remove()
        return picture.svg

    return drawn


ALL = (
    ("CPU time per request", "What a busy machine disturbs least, and what a server is paid for.", _panels(cpu)),
    (
        "Throughput",
        "Without a rate, light scenarios go as fast as the load generator, and are alike.",
        _panels(throughput),
    ),
    (
        "Latency",
        "With a rate: from when each request should have left. Without: from when it left.",
        _panels(latencies),
    ),
)


def soak(result: SoakResult) -> str:
    """Draw memory, quarantine and what was in use over the time of a soak."""
    figures = (("rss_mib", "RSS MiB"), ("in_use", "in use"), ("quarantined", "quarantined"))
    at = [sample.at_s for sample in result.samples]
    with drawing(9, 6) as picture:
        for panel, (figure, label) in zip(picture.figure.subplots(3, 1, sharex=True), figures, strict=True):
            panel.plot(at, [getattr(sample, figure) for sample in result.samples], color="#2fa36b")
            panel.set_ylim(bottom=0)
            panel.set_ylabel(label)
            panel.grid(axis="y")
        panel.set_xlabel("seconds")
    return picture.svg


def _label(panel: Axes, text: str, x: float, y: float) -> None:
    panel.annotate(text, (x, y), xytext=(6, 0), textcoords="offset points", va="center")


def _bars(panel: Axes, names: list[str], longest: float) -> None:
    panel.set_yticks(range(len(names)), names)
    panel.invert_yaxis()
    panel.set_xlim(0, 1.18 * longest)
    panel.grid(axis="x")
