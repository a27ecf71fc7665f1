"""What happens in pools, as it happens: for collectors. Costs nothing while nobody subscribes.

with subscribe(pool, kinds=("exhaust", "timeout")) as events:
    ...
    for event in events.take():
        print(event)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from poolware.errors import BadOption
from poolware.pools.events import EVENTS, Collector, Event, EventKind, source_of

__all__ = ["EVENTS", "Collector", "Event", "EventKind", "subscribe"]


def subscribe(*pools: Any, kinds: Iterable[EventKind] = EVENTS, limit: int = 10_000) -> Collector:
    """Return a collector that is told of what happens in `pools` from now on, until it is closed.

    Args:
        pools: object, buffer and resource pools.
        kinds: which events.
        limit: how many it keeps at the most. What comes beyond that is dropped and counted; no pool ever waits.

    Raises:
        BadOption: something is no pool that tells, or a value is not taken.
    """
    collector = Collector(kinds, limit=limit)
    sources = [(pool, source_of(pool)) for pool in pools]
    for pool, source in sources:
        if source is None:
            msg = f"pools={pool!r}: it takes object, buffer and resource pools"
            raise BadOption(msg)
    for _, source in sources:
        if source is not None:
            source.subscribe(collector)
    return collector
