"""One process of a section: measures its groups with the twin that POOLWARE_CORE names, prints the records."""

from __future__ import annotations

import argparse
import json
from importlib import import_module

from benchmarks.rounds import measure


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("section")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    section = import_module(f"benchmarks.sections.{options.section}")
    groups = section.groups()
    print(json.dumps([record for group in groups for record in measure(group, options.rounds, options.seconds)]))


if __name__ == "__main__":
    main()
