"""Measure both twins of the core, print the table, write build/bench/results.json.

A missed target is a result and no failure: the exit code is 0.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from pyperf import Run

from benchmarks import instructions, processes
from benchmarks.rows import Row
from benchmarks.table import markdown, table

SECTIONS = (
    "cycle",
    "lifecycle",
    "asgi",
    "wsgi",
    "flask",
    "django",
    "buffers",
    "contention",
    "stores",
    "idle",
    "peers",
    "resources",
    "instructions",
)
OUT = Path("build/bench/results.json")


def sections(names: str) -> list[str]:
    chosen = names.split(",")
    unknown = ", ".join(set(chosen) - set(SECTIONS))
    if unknown:
        msg = f"{unknown}: it takes some of {','.join(SECTIONS)}"
        raise argparse.ArgumentTypeError(msg)
    return [name for name in SECTIONS if name in chosen]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--only", type=sections, default=SECTIONS, help=f"some of {','.join(SECTIONS)}")
    parser.add_argument("--fast", action="store_true", help="enough for a look: one process, shorter rounds")
    parser.add_argument("--processes", type=int, help="worker processes for each section and twin (3; 1 with --fast)")
    parser.add_argument("--rounds", type=int, help="rounds in each process (80; 40 with --fast)")
    parser.add_argument("--seconds", type=float, help="for each subject in each round (0.005; 0.003 with --fast)")
    parser.add_argument("--out", type=Path, default=OUT, help=f"where the results go ({OUT})")
    chosen = parser.parse_args()
    chosen.processes = chosen.processes or (1 if chosen.fast else 3)
    chosen.rounds = chosen.rounds or (40 if chosen.fast else 80)
    chosen.seconds = chosen.seconds or (0.003 if chosen.fast else 0.005)
    return chosen


def main() -> None:
    chosen = options()
    rows: list[Row] = []
    for section in chosen.only:
        began = time.monotonic()
        print(f"{section} ...", end=" ", file=sys.stderr, flush=True)
        if section == "instructions":
            rows += instructions.count()
        else:
            rows += processes.run(section, processes=chosen.processes, rounds=chosen.rounds, seconds=chosen.seconds)
        print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    results = {"machine": Run([1.0]).get_metadata(), "rows": [row.as_json() for row in rows]}
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(results, indent=2, default=str) + "\n")
    chosen.out.with_suffix(".md").write_text(markdown(rows) + "\n")
    print(table(rows))
    print(f"\nWritten to {chosen.out}, and as a table to {chosen.out.with_suffix('.md')}")


if __name__ == "__main__":
    main()
