"""What the last minutes of a pool prove: the figures that one process has published, read backwards from now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from poolware.observe.snapshot import PoolSnapshot

__all__ = ["Past", "history", "past_of"]

_POINTS = 60
_QUARTERS = 4
_CLIMB = 3
"""How many must be in use before it is called a climb."""
_STEADY = 1.25
"""Traffic that has grown by more than this explains by itself that more is in use."""


@dataclass(frozen=True, slots=True)
class Past:
    """One pool in one process: moments, the oldest first and the last one now, and each figure at each of them."""

    ages: tuple[float, ...]
    """Seconds before now."""
    figures: Mapping[str, Sequence[float | None]]

    def increase(self, counter: str) -> float:
        """Return by how much a counter has grown; 0 for a figure that the pool has not got."""
        values = self._known(counter)
        return max(0.0, values[-1] - values[0]) if values else 0.0

    def lasting(self, gauge: str) -> float:
        """Return for how many seconds a gauge has been above 0 at every look."""
        values = self.figures.get(gauge, ())
        since = 0.0
        for age, value in zip(reversed(self.ages), reversed(values), strict=False):
            if not value:
                break
            since = age
        return since

    def held(self, seconds: float) -> tuple[int, float]:
        """Return how many have certainly been in use for so long, and the age of the oldest of them.

        Whatever is in use beyond the number of acquisitions since a moment was acquired before that moment.
        """
        in_use, acquired = self._known("in_use"), self._known("acquired")
        if not in_use or len(in_use) != len(acquired):
            return 0, 0.0
        ages = self.ages[-len(in_use) :]
        before = [in_use[-1] - (acquired[-1] - then) for then in acquired]
        count = max((held for age, held in zip(ages, before, strict=True) if age >= seconds), default=0)
        oldest = next((age for age, held in zip(ages, before, strict=True) if held >= 1), 0.0)
        return (int(count), oldest) if count >= 1 else (0, 0.0)

    def climb(self, seconds: float) -> tuple[int, int, float] | None:
        """Return from where to where the number in use has climbed, and in how long, if traffic does not explain it.

        The least in use in each quarter of the time is more than in the quarter before, and more than the most in the
        one before that; over all it has at least doubled.
        """
        in_use, acquired = self._known("in_use"), self._known("acquired")
        if len(in_use) < 2 * _QUARTERS or len(in_use) != len(acquired):
            return None
        ages, size = self.ages[-len(in_use) :], len(in_use) // _QUARTERS
        quarters = [in_use[place : place + size] for place in range(len(in_use) % _QUARTERS, len(in_use), size)]
        least, most = [min(quarter) for quarter in quarters], [max(quarter) for quarter in quarters]
        climbs = all(after > before for before, after in pairwise(least))
        stays = all(after > before for before, after in zip(most, least[2:], strict=False))
        half = len(acquired) // 2
        early, late = acquired[half] - acquired[0], acquired[-1] - acquired[half]
        enough = ages[0] >= seconds and least[-1] >= max(_CLIMB, 2 * most[0])
        return (
            (int(least[0]), int(in_use[-1]), ages[0])
            if enough and climbs and stays and late <= _STEADY * early
            else None
        )

    def places(self, ages: Sequence[float], reach: float) -> list[int | None]:
        """Return for each of the ages, the oldest first, which moment it falls to: at most `reach` seconds older."""
        found: list[int | None] = []
        place = -1
        for age in ages:
            while place + 1 < len(self.ages) and self.ages[place + 1] >= age:
                place += 1
            found.append(place if place >= 0 and self.ages[place] - age <= reach else None)
        return found

    def _known(self, figure: str) -> list[float]:
        """The values of the last stretch in which there were any."""
        values: list[float] = []
        for value in reversed(self.figures.get(figure, ())):
            if value is None:
                break
            values.append(value)
        return values[::-1]


def past_of(said: Mapping[str, Any], pool: PoolSnapshot) -> Past:
    """Read the past of a pool out of what its process has said last.

    Moments are told by the clock of the machine. If that was put back meanwhile, what was seen before does not count;
    nor does what another pool of that name has counted.
    """
    history = said.get("history", {})
    times, figures = history.get("times", ()), history.get("pools", {}).get(pool.pool, {})
    now = {**pool.gauges, **pool.counters}
    start = _unbroken(times, figures.get("acquired", ()), said["time"], now["acquired"])
    ages = [said["time"] - moment for moment in times[start:]]
    return Past((*ages, 0.0), {figure: (*values[start:], now.get(figure)) for figure, values in figures.items()})


def history(pasts: Sequence[Past], figures: Iterable[str]) -> dict[str, list[float | None]]:
    """Bring the moments of several processes to the same 60 ``ages``, and add each of the figures up."""
    longest = max(past.ages[0] for past in pasts)
    step = longest / (_POINTS - 1)
    ages: list[float | None] = [round(step * place, 3) for place in reversed(range(_POINTS))]
    moments = [past.places([step * place for place in reversed(range(_POINTS))], 2 * step) for past in pasts]
    return {"ages": ages} | {name: _together(pasts, moments, name) for name in figures}


def _together(pasts: Sequence[Past], moments: Sequence[Sequence[int | None]], name: str) -> list[float | None]:
    series = [
        [None if place is None else values[place] for place in places]
        for past, places in zip(pasts, moments, strict=True)
        if (values := past.figures.get(name)) is not None
    ]
    return [_sum(values) for values in zip(*series, strict=True)] if series else [None] * _POINTS


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _unbroken(times: Sequence[float], acquired: Sequence[float | None], now: float, count: float) -> int:
    """The place from which on time and count only ever go forward."""
    start = len(times)
    while start:
        moment, before = times[start - 1], acquired[start - 1] if start <= len(acquired) else None
        if moment > now or (before is not None and before > count):
            break
        now, count = moment, count if before is None else before
        start -= 1
    return start
