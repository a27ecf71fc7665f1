"""Costs of arms, paired block by block."""

from collections.abc import Iterable, Sequence
from itertools import permutations

from poolware_compare.rounds import Round
from poolware_compare.statistics import Interval, interval


def costs(rounds: Iterable[Round]) -> list[list[float]]:
    """Return the CPU per request of one arm's rounds, by start of the servers."""
    by_start: dict[int, list[float]] = {}
    for entry in rounds:
        by_start.setdefault(entry.start, []).append(entry.cpu_us_per_request)
    return list(by_start.values())


def ratio(rounds: Sequence[Round], over: str, under: str) -> Interval | None:
    """Return the ratio of two arms' costs; None without a block in which both had a round."""
    below = {entry.block: entry.cpu_us_per_request for entry in rounds if entry.arm == under}
    by_start: dict[int, list[float]] = {}
    for entry in rounds:
        if entry.arm == over and entry.block in below:
            by_start.setdefault(entry.start, []).append(entry.cpu_us_per_request / below[entry.block])
    return interval(list(by_start.values())) if by_start else None


def ratios(rounds: Sequence[Round], names: Iterable[str]) -> dict[str, Interval]:
    """Return the ratios of every ordered pair of arms, named "A/B"."""
    found = {f"{over}/{under}": ratio(rounds, over, under) for over, under in permutations(names, 2)}
    return {name: value for name, value in found.items() if value is not None}


def widest(rounds: Sequence[Round], names: Sequence[str]) -> float:
    """Return the half-width of the widest interval of the arms against the first."""
    found = [ratio(rounds, name, names[0]) for name in names[1:]]
    return max((value.half_width if value else float("inf") for value in found), default=0.0)
