"""What the tests of ResourcePool share."""

import asyncio
import itertools
import threading
import time

from poolware import ResourcePool

NEVER = 3600.0
PATIENCE = 20.0
"""Seconds after which a test gives up waiting for what must happen."""


class Resource:
    """Counts what is made and closed; may be made to fail."""

    numbers = itertools.count()

    def __init__(self):
        self.number = next(Resource.numbers)
        self.closed = False

    def close(self):
        assert not self.closed, "closed twice"
        self.closed = True

    def __repr__(self):
        return f"<Resource {self.number}{' closed' if self.closed else ''}>"


def resource_pool(factory=Resource, **options):
    """A pool of up to 4 that makes nothing ahead, unless told otherwise."""
    return ResourcePool(factory, **{"min_size": 0, "max_size": 4, "timeout": PATIENCE, "name": "db"} | options)


def wait_until(true):
    """Wait for what other threads are about to do."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)


async def until_waiting(pool, count):
    """Let the other tasks run until so many wait."""
    while pool.get_stats().waiting < count:  # noqa: ASYNC110 - the pool tells nobody
        await asyncio.sleep(0)


def grow_older(pool, seconds):
    """Make all that the pool has older, and longer at rest or in use."""
    for record in pool._stock.records.values():
        record.made -= seconds
        record.since -= seconds
        record.checked -= seconds
        record.expires -= seconds


def agree(pool):
    """Check that the statistics add up; return them."""
    stats = pool.get_stats()
    assert stats.acquired == stats.released + stats.in_use + stats.lost, stats
    assert stats.created == stats.idle + stats.in_use + stats.busy + sum(stats.destroyed.values()), stats
    return stats


def in_thread(call):
    """Run `call` in a thread; return the thread and the list that gets its result, or its error."""
    results = []

    def run():
        try:
            results.append(call())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results
