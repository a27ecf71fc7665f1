"""How many instructions a subject takes: valgrind's count, which no noise touches.

``python -m benchmarks.instructions`` prints these rows alone.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.counted import LOOPS, MARK, SUBJECTS
from benchmarks.intervals import Interval
from benchmarks.processes import TWINS, with_core
from benchmarks.rows import Row
from benchmarks.table import table


def count() -> list[Row]:
    """Return the rows; without numbers where there is no valgrind."""
    if shutil.which("valgrind") is None:
        why = "there is no valgrind here"
        return [
            Row("instructions", subject, twin, over, note=why)
            for subject, (_, over) in SUBJECTS.items()
            for twin in TWINS
        ]
    counts = {twin: counted(twin) for twin in TWINS}
    return [_row(subject, over, twin, counts[twin]) for subject, (_, over) in SUBJECTS.items() for twin in TWINS]


def counted(twin: str) -> dict[str, float]:
    """Return the instructions that one repetition of each subject takes."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", f"--dump-before={MARK}"]
        environment = with_core(twin) | {"PYTHONHASHSEED": "0"}
        subprocess.run(
            [*valgrind, sys.executable, "-m", "benchmarks.counted"], env=environment, check=True, capture_output=True
        )
        # Dump n ends at mark n. A subject has three: behind its first rounds, behind N repetitions, and behind 2N.
        return {
            subject: (_total(Path(f"{out}.{number + 3}")) - _total(Path(f"{out}.{number + 2}"))) / LOOPS
            for subject, number in zip(SUBJECTS, range(0, 3 * len(SUBJECTS), 3), strict=True)
        }


def _total(dump: Path) -> int:
    return next(int(line.split()[1]) for line in dump.read_text().splitlines() if line.startswith("totals:"))


def _row(subject: str, over: str, twin: str, counts: dict[str, float]) -> Row:
    share = counts[subject] / counts[over]
    exact = Interval(share, share, share, 1)
    return Row("instructions", subject, twin, over, cost=counts[subject], unit="instructions", ratio=exact)


if __name__ == "__main__":
    print(table(count()))
