"""A row of the results."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmarks.intervals import Interval, ratio


@dataclass(frozen=True)
class Row:
    """What a subject costs, by itself and over another."""

    section: str
    subject: str
    twin: str
    over: str
    without: str | None = None
    """What was subtracted from both."""
    cost: float | None = None
    unit: str = "ns"
    ratio: Interval | None = None
    target: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None where there is none, or where what both add is lost in the noise."""
        if self.ratio is None or self.target is None or self.ratio.low <= 0:
            return None
        return self.ratio.median <= self.target

    def as_json(self) -> dict[str, Any]:
        """Return what results.json says of the row."""
        return asdict(self) | {"met": self.met}


def row_of(section: str, record: dict[str, Any]) -> Row:
    """Return the row that a worker's record amounts to."""
    times = record.pop("times")
    if not times:
        return Row(section, **record)
    cost = median(subject - without for subject, _over, without in times) * 1e9
    return Row(section, **record, cost=cost, ratio=ratio(times))
