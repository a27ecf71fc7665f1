"""Drawing: SVG that takes its text colour from the page, so that it follows light and dark."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

# Stands for the page's own text colour.
INK = "#010203"
COLOURS = ("#8b95a5", "#d9822b", "#5b9bd5", "#2fa36b")
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "poolware",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.parse_math": False,
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


class Drawing:
    """A figure, and the SVG that came of it."""

    def __init__(self, width: float, height: float) -> None:
        self.figure: Figure = Figure(figsize=(width, height), layout="constrained")
        self.svg: str = ""


@contextmanager
def drawing(width: float, height: float) -> Iterator[Drawing]:
    """Draw in the block, in inches; `svg` is there after it."""
    with mpl.rc_context(STYLE):
        drawn = Drawing(width, height)
        yield drawn
        buffer = io.StringIO()
        drawn.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    drawn.svg = text[text.index("<svg") :].replace(INK, "currentColor")


def colours(names: list[str]) -> dict[str, str]:
    """Return a colour for each arm, the same in all figures."""
    return {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}
