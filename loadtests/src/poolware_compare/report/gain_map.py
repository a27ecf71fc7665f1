"""The gain map: what objects cost when they are made for a request, and what pooling them gains."""

from dataclasses import dataclass

from poolware_compare.report.figures import INK, drawing
from poolware_compare.results import Results
from poolware_compare.statistics import Interval

EXPLANATION = (
    "<p>Across: what one object costs to make, use and drop, over using one that is there. Up: how many times as much a"
    " request costs with a fresh object as with a pooled one. Filled: a gain. Hollow: no difference, or a loss. The"
    " line marks the break-even of this run: the cheapest kind of object from which on everything gained.</p>"
)


@dataclass(frozen=True)
class Point:
    """One kind of object."""

    name: str
    object_us: float
    gain: Interval
    verdict: str


def points(results: Results) -> list[Point]:
    """Return the kinds of objects in the results, cheapest first."""
    found = []
    for case in results.cases:
        last = list(case.arms)[-1]
        gain = case.ratios.get(f"{case.baseline}/{last}")
        if case.object_us is not None and gain is not None:
            name = f"{case.scenario.partition(':')[2]}"
            found.append(Point(name, case.object_us, gain, case.verdicts[last]))
    return sorted(found, key=lambda point: point.object_us)


def break_even_us(found: list[Point]) -> float | None:
    """Return the cost of the cheapest object from which on every kind gained; None if the dearest did not."""
    cheapest = None
    for point in reversed(found):
        if point.verdict != "gain":
            break
        cheapest = point.object_us
    return cheapest


def draw(found: list[Point]) -> str:
    """Draw the map."""
    with drawing(9, 5) as picture:
        panel = picture.figure.subplots()
        for point in found:
            gain = point.gain
            reach = [[max(0, gain.median - gain.low)], [max(0, gain.high - gain.median)]]
            panel.errorbar(
                point.object_us, gain.median, yerr=reach, fmt="o", capsize=4, color="#2fa36b",
                markerfacecolor="#2fa36b" if point.verdict == "gain" else "none",
            )  # fmt: skip
            panel.annotate(point.name, (point.object_us, gain.median), xytext=(7, 5), textcoords="offset points")
        panel.axhline(1, color=INK, linewidth=0.8)
        if (edge := break_even_us(found)) is not None:
            panel.axvline(edge, color="#d9822b", linestyle="--", linewidth=1)
            panel.annotate(f" break-even: {edge:,.1f} µs", (edge, 0.98), xycoords=("data", "axes fraction"), va="top")
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_xlabel("cost of a fresh object, µs")
        panel.set_ylabel("fresh ÷ pooled, CPU per request")
        panel.grid(which="both")
    return picture.svg
