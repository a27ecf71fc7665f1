"""A simulation as a picture. Needs matplotlib: ``pip install poolware[simulate]``."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from poolware.errors import BadOption
from poolware.sizing.simulate import Result

__all__ = ["SUFFIXES", "plot"]

SUFFIXES = (".svg", ".png", ".pdf")


def plot(result: Result, path: Path, *, limit: int | None = None, object_bytes: int = 0) -> None:
    """Draw what there was over time into `path`.

    Args:
        result: of a simulation.
        path: ends in ``.svg``, ``.png`` or ``.pdf``.
        limit: a number of objects to draw a line at.
        object_bytes: of each object, for an axis of memory.

    Raises:
        BadOption: `path` ends otherwise.
        OSError: `path` cannot be written.
    """
    if path.suffix not in SUFFIXES:
        msg = f"plot={str(path)!r}: it takes a file name that ends in {', '.join(SUFFIXES)}"
        raise BadOption(msg)
    at = result.timeline
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    objects, waiting = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    objects.fill_between(at.seconds, at.objects, step="post", color="#c9d8e8", label="objects")
    objects.step(at.seconds, at.in_use, where="post", color="#2b6cb0", linewidth=0.8, label="in use")
    if limit is not None:
        objects.axhline(limit, color="#c05621", linestyle="--", linewidth=1, label="limit")
    objects.set_ylabel("objects")
    objects.set_ylim(bottom=0)
    objects.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize="small", frameon=False)
    if object_bytes:
        memory = objects.secondary_yaxis(
            "right", functions=(lambda count: count * object_bytes / 2**20, lambda mib: mib * 2**20 / object_bytes)
        )
        memory.set_ylabel("MiB")
    waiting.step(at.seconds, at.waiting, where="post", color="#c05621", linewidth=0.8)
    waiting.set_ylabel("waiting")
    waiting.set_ylim(bottom=0)
    waiting.set_xlabel("seconds")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
