"""The report's plots, as SVG that takes its text colour from the page."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtests.results import ArmResult, Results

# Stands for the page's own text colour, which changes with light and dark.
INK = "#010203"
COLOURS = ("#8b95a5", "#d9822b", "#5b9bd5", "#2fa36b")
PERCENTILES = ("p50", "p95", "p99")
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "loadtests",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "axes.axisbelow": True,
}


def cpu_per_request(results: Results) -> str:
    """Draw the CPU per request of each arm with its interval, a panel a scenario."""

    def draw(panel: Axes, arms: dict[str, ArmResult], colours: dict[str, str]) -> None:
        for place, (name, arm) in enumerate(arms.items()):
            cost = arm.cpu_us_per_request
            panel.barh(place, cost.median, height=0.6, color=colours[name])
            reach = [[cost.median - cost.low], [cost.high - cost.median]]
            panel.errorbar(cost.median, place, xerr=reach, color=INK, capsize=4, linewidth=1.2)
            panel.annotate(
                f"{cost.median:.1f}", (cost.high, place), xytext=(6, 0), textcoords="offset points", va="center"
            )
        panel.set_yticks(range(len(arms)), list(arms))
        panel.invert_yaxis()
        panel.set_xlim(0, 1.18 * max(arm.cpu_us_per_request.high for arm in arms.values()))
        panel.set_xlabel("CPU µs per request")
        panel.grid(axis="x")

    return _panels(results, draw)


def latencies(results: Results) -> str:
    """Draw the latency percentiles of each arm, a panel a scenario."""

    def draw(panel: Axes, arms: dict[str, ArmResult], colours: dict[str, str]) -> None:
        for name, arm in arms.items():
            values = [arm.latency_ms[percentile] for percentile in PERCENTILES]
            panel.plot(PERCENTILES, values, marker="o", color=colours[name], label=name)
        panel.set_ylim(bottom=0)
        panel.margins(x=0.12)
        panel.set_ylabel("ms")
        panel.grid(axis="y")
        panel.legend(frameon=False, fontsize=9)

    return _panels(results, draw)


Draw = Callable[[Axes, dict[str, ArmResult], dict[str, str]], None]


def _panels(results: Results, draw: Draw) -> str:
    names: Sequence[str] = list(results.settings["arms"])
    colours = dict(zip(names, COLOURS, strict=False))
    columns = min(3, len(results.scenarios))
    lines = -(-len(results.scenarios) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.0 * columns, 2.7 * lines), layout="constrained")
        panels = figure.subplots(lines, columns, squeeze=False).flat
        for (scenario, result), panel in zip(results.scenarios.items(), panels, strict=False):
            draw(panel, {name: result.arms[name] for name in names if name in result.arms}, colours)
            panel.set_title(scenario, fontweight="bold")
        for spare in list(panels):
            spare.remove()
        return _svg(figure)


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawing = buffer.getvalue()
    return drawing[drawing.index("<svg") :].replace(INK, "currentColor")
