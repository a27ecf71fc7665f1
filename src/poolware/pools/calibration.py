"""Choosing a buffer pool's tiers from the sizes that its buffers needed."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from poolware._core.options import positive, share, whole_number
from poolware.pools.buffer import Buffer

__all__ = ["Calibration"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Replaces a buffer pool's tiers by the ones that fit what it lends: ``BufferPool(calibrate=Calibration())``.

    While it is in use an acquisition notes the size asked for and a release how large the buffer became. Every `period`
    the tiers become those with which the least memory of the latest 10,000 buffers was lent in vain. Memory of other
    sizes is let go of, when it comes back if it is in use.

    Args:
        percentile: the share of buffers that fits into the largest tier. Larger ones are built and dropped, so that a
            few large requests do not decide over the memory of all.
        most_tiers: how many tiers there may be.
        at_least: how many buffers must have been seen; with fewer the tiers stay.
        period: seconds.
    """

    percentile: float = 0.95
    most_tiers: int = 8
    at_least: int = 1000
    period: float = 60.0

    def __post_init__(self) -> None:
        share("percentile", self.percentile)
        whole_number("most_tiers", self.most_tiers, at_least=1)
        whole_number("at_least", self.at_least, at_least=1)
        positive("period", self.period)


class MeasuredBuffer(Buffer):
    """A buffer that knows which size was asked for."""

    __slots__ = ("_asked",)
    _asked: int


SAMPLE = 10_000
"""How many buffers' sizes are remembered."""


class Calibrator:
    """Remembers the sizes of one pool's buffers."""

    def __init__(self, calibration: Calibration, max_size: int) -> None:
        self._calibration = calibration
        self._max_size = max_size
        self._seen: deque[int] = deque(maxlen=max(SAMPLE, calibration.at_least))

    def note(self, buffer: MeasuredBuffer) -> None:
        """Remember how large a buffer that has come back was to be, or became."""
        asked, became = getattr(buffer, "_asked", 0), buffer._size  # an interrupt may have come before it was noted
        self._seen.append(max(became, asked))

    def tiers(self) -> tuple[int, ...] | None:
        """Return the tiers for the latest buffers; None if there were too few of them."""
        if len(self._seen) < self._calibration.at_least:
            return None
        seen = Counter(min(_rounded(size), self._max_size) for size in tuple(self._seen))
        return best_tiers(seen, self._calibration.percentile, self._calibration.most_tiers)


def best_tiers(seen: Mapping[int, int], percentile: float, most: int) -> tuple[int, ...]:
    """Return at most `most` ascending sizes with which buffers of the sizes `seen` have the least unused memory.

    The largest is the smallest size in which that share of the buffers fits. By dynamic programming: the best choice of
    n tiers ends with some tier, and what is below that has the best choice of n - 1.
    """
    most_of_them = percentile * sum(seen.values())
    sizes: list[int] = []
    covered = 0
    for size in sorted(seen):
        if covered < most_of_them:
            sizes.append(size)
            covered += seen[size]
    # For the first n sizes. Without a tier there is no choice but for none of them.
    nothing: Choice = (0, ())
    best = [nothing] + [(len(sizes) * covered * sizes[-1], ())] * len(sizes)
    for _ in range(most):
        best = [nothing] + [min(best[stop], *_with_tier(best, sizes, seen, stop)) for stop in range(1, len(best))]
    return best[-1][1]


Choice = tuple[int, tuple[int, ...]]
"""How many bytes are lent in vain, and with which tiers."""


def _with_tier(best: list[Choice], sizes: list[int], seen: Mapping[int, int], stop: int) -> Iterator[Choice]:
    """Yield each choice for the first `stop` sizes that has a tier for the last of them."""
    tier, unused = sizes[stop - 1], 0
    for start in range(stop - 1, -1, -1):
        unused += (tier - sizes[start]) * seen[sizes[start]]
        yield best[start][0] + unused, (*best[start][1], tier)


def _rounded(size: int) -> int:
    """Round up, by less than a quarter, so that there are few different sizes."""
    step = max(64, 1 << max(0, size.bit_length() - 3))
    return max(step, -(-size // step) * step)
