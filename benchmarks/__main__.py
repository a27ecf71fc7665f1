"""Run the micro-benchmarks with pyperf, print the ratios, write build/bench/results.json.

Each row is a ratio of two medians of one run, which a noisy machine spoils less than their times. Run
``python -m benchmarks --help`` for pyperf's options; ``--fast`` is enough for a look.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median

import pyperf

from benchmarks import subjects

ROWS = (
    "build_slotted",
    "cycle",
    "cycle_held",
    "fresh_buffer",
    "pooled_buffer",
    "asgi_bare",
    "asgi_pass_through",
    "asgi_namespace",
    "asgi_poolware",
)
OUT = Path("build/bench/results.json")


def ratios(us: dict[str, float]) -> dict[str, float]:
    """Return what the rows say about each other; `us` has their medians in microseconds."""
    return {
        "pool cycle / building the hand-written object": us["cycle"] / us["build_slotted"],
        "pool cycle, caller's variable alive / building": us["cycle_held"] / us["build_slotted"],
        "1 MiB buffer, an eighth used: pooled / fresh": us["pooled_buffer"] / us["fresh_buffer"],
        "ASGI middleware adds / a SimpleNamespace adds": (us["asgi_poolware"] - us["asgi_bare"])
        / (us["asgi_namespace"] - us["asgi_bare"]),
    }


def main() -> None:
    runner = pyperf.Runner(program_args=("-m", "benchmarks"))
    us: dict[str, float] = {}
    for name in ROWS:
        bench = runner.bench_func(name, getattr(subjects, name))
        if bench is not None and not runner.args.worker:
            us[name] = median(bench.get_values()) * 1e6
    if runner.args.worker or len(us) < len(ROWS):
        return
    results = {"python": sys.version.split()[0], "median_us": us, "ratios": ratios(us)}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(results, indent=2) + "\n")
    print()
    for name, ratio in results["ratios"].items():  # type: ignore[attr-defined]
        print(f"{ratio:8.2f}  {name}")
    print(f"\nWritten to {OUT}")


if __name__ == "__main__":
    main()
