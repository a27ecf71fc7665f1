"""Command line: `python -m loadtests demo` and `python -m loadtests compare`."""

import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from loadtests import cores, database, environment, report, table
from loadtests.arms import DATABASE_ARMS, arms_named
from loadtests.comparison import Collected, Plan, run
from loadtests.cores import Cores
from loadtests.errors import ComparisonError
from loadtests.load import Load
from loadtests.options import parser
from loadtests.progress import Progress
from loadtests.results import summarise

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, 1 after an error, 130 after an interruption."""
    options = parser().parse_args(arguments)
    # Both lead to KeyboardInterrupt, also where a shell has had SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    chosen = cores.choose()
    with_database = options.arms is None
    arms = DATABASE_ARMS if with_database else arms_named(options.arms, options.app)
    plan = Plan(options.scenarios, arms, options.rounds, Load(options.users, options.seconds))
    try:
        with database.running(chosen) if with_database else nullcontext():
            return compare(plan, chosen, options.out)
    except ComparisonError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def compare(plan: Plan, chosen: Cores, out: Path) -> int:
    """Run the plan, print the table, and write `results.json` and `report.html` into `out`."""
    where = environment.describe([chosen.note] if chosen.note else [])
    collected = Collected()
    progress = Progress(plan.total_rounds)
    partial = False
    try:
        run(plan, chosen, collected, progress)
    except KeyboardInterrupt:
        partial = True
    finally:
        progress.close()
    results = summarise(plan, collected, where, partial=partial)
    results.write(out / "results.json")
    report.write(results, out / "report.html")
    print(table.text(results))
    print(f"\nFigures: {out / 'results.json'}\nReport:  {out / 'report.html'}")
    return INTERRUPTED if partial else 0


if __name__ == "__main__":
    sys.exit(main())
