"""Latency histograms: microseconds, three significant digits, up to a minute (HdrHistogram, Tene)."""

from collections.abc import Iterable
from typing import Any

from hdrh.histogram import HdrHistogram

LONGEST_US = 60_000_000
PERCENTILES = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}


def new_histogram() -> Any:
    """Return an empty histogram."""
    return HdrHistogram(1, LONGEST_US, 3)


def merged(encoded: Iterable[str]) -> Any:
    """Return one histogram of all the responses in several encoded ones."""
    total = new_histogram()
    for text in encoded:
        total.decode_and_add(text)
    return total


def percentiles_ms(histogram: Any) -> dict[str, float]:
    """Return p50, p95, p99 and max in milliseconds."""
    return {name: histogram.get_value_at_percentile(percent) / 1000 for name, percent in PERCENTILES.items()}
