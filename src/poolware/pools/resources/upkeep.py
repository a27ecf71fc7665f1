"""What happens to a resource pool while nobody asks it for anything; run by the heartbeat."""

from __future__ import annotations

import bisect
import math
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from poolware._core.log import logger
from poolware._core.proof import LENT_SOLE, PART_SOLE, REUSE_REFUSED, getrefcount
from poolware.pools.resources.creation import in_background
from poolware.pools.resources.eviction import Resting
from poolware.pools.resources.lending import unwanted, validation
from poolware.pools.resources.record import Record
from poolware.pools.resources.steps import Pause, Steps

if TYPE_CHECKING:
    from poolware.pools.resources.stock import Stock

_PAUSE = 0.1
"""Seconds between two batches of checks."""


def look_after(stock: Stock) -> None:
    """Take back what was lost, report what is held too long, evict, check, and make what is missing."""
    take_back_lost(stock)
    report_long_holds(stock)
    evict(stock)
    with stock.lock:
        loops = {record.loop for record in tuple(stock.idle)}
    for loop in loops:
        try:
            in_background(loop, partial(check, stock, loop), f"check of pool {stock.settings.name!r}")
        except RuntimeError:  # the loop has ended (H27)
            with stock.lock:
                stranded = [record for record in tuple(stock.idle) if record.loop is loop]
                for record in stranded:
                    stock.idle.remove(record)
            stock.discard(stranded, "loop_ended")
    stock.settle()


def take_back_lost(stock: Stock) -> None:
    """Discard what is lent and held by nobody any more. What somebody holds is never taken away (H32)."""
    if REUSE_REFUSED is not None:  # no counts, no proof
        return
    with stock.lock:
        lent = list(stock.lent.values())
        lost = [record for record in lent if record.waiter is None and getrefcount(record.obj) == PART_SOLE]
        for record in lost:
            del stock.lent[id(record.obj)]
        stock.counts["lost"] += len(lost)
        unplaced = set(stock.records.values()) - set(stock.idle) - set(stock.lent.values())
        interrupted = list(record for record in unplaced if getrefcount(record) == LENT_SOLE)  # noqa: C400 - as it is counted
    for record in lost:
        logger.error(
            "pool %r: a resource was never released, and nobody holds it%s", stock.settings.name, _origin(record)
        )
    stock.discard(lost, "lost")
    stock.discard(interrupted, "interrupted")  # on their way from one place to another


def report_long_holds(stock: Stock) -> None:
    """Log, once each, what has been in use for longer than `hold_limit`."""
    limit, now = stock.settings.hold_limit, time.monotonic()
    if limit is None:
        return
    with stock.lock:
        lent = [record for record in tuple(stock.lent.values()) if record.waiter is None]
        late = [record for record in lent if now - record.since > limit and record.reported != record.since]
        for record in late:
            record.reported = record.since
        stock.counts["held_too_long"] += len(late)
    for record in late:
        logger.warning(
            "pool %r: a resource has been in use for %.1f s (hold_limit %g s)%s",
            stock.settings.name,
            now - record.since,
            limit,
            _origin(record),
        )


def evict(stock: Stock) -> None:
    """Let go of what has rested or existed for long enough."""
    evicted: dict[str, list[Record]] = {}
    with stock.lock:
        resting = list(_resting(stock))
    causes = [(record, _cause(stock, record, about)) for record, about in resting]
    with stock.lock:
        spare = stock.size() - stock.min_size
        for record, cause in causes:
            if record in stock.idle and (cause == "lifetime" or (cause is not None and spare > 0)):
                stock.idle.remove(record)
                evicted.setdefault(cause, []).append(record)
                spare -= 1
    for cause, records in evicted.items():
        stock.events.tell("evict", size=len(records))
        stock.discard(records, cause)


def check(stock: Stock, loop: Any) -> Steps[None]:
    """Keep alive and validate what rests on `loop`, one at a time, and not all without a pause."""
    for number, record in enumerate(_due(stock, loop), start=1):
        cause: str | None = "interrupted"
        with stock.lock:
            if record not in stock.idle:  # lent meanwhile
                continue
            stock.idle.remove(record)
        try:
            cause = yield from _works(stock, record)
        finally:
            with stock.lock:
                cause = cause or unwanted(stock, record)
                if cause is None:
                    _put_back(stock, record)
            if cause is not None:
                stock.discard([record], cause)
            stock.settle()
        if number % stock.settings.check_batch == 0:
            yield Pause(_PAUSE)


def _works(stock: Stock, record: Record) -> Steps[str | None]:
    """Keep alive, or validate; return why the resource is to go, if it is."""
    settings, hook = stock.settings, stock.settings.keepalive
    if hook is not None and time.monotonic() - record.checked >= settings.kept_alive_every:
        try:
            yield hook(record.obj)
        except Exception as error:
            with stock.lock:
                stock.counts["keepalive_failures"] += 1
            logger.warning("%s failed; the resource is discarded: %r", hook.name, error)
            return "stale"
        record.checked = time.monotonic()
    elif "idle" in settings.validate_on:
        return (yield from validation(stock, record))
    return None


def _due(stock: Stock, loop: Any) -> list[Record]:
    """What has not been checked for long enough, those first that have waited longest."""
    settings, now = stock.settings, time.monotonic()
    every = settings.check_every if "idle" in settings.validate_on else math.inf
    every = min(every, settings.kept_alive_every)
    with stock.lock:
        due = [record for record in tuple(stock.idle) if record.loop is loop and now - record.checked >= every]
    return sorted(due, key=lambda record: record.checked)


def _put_back(stock: Stock, record: Record) -> None:
    """Put `record` where it rested: those used more recently stay so."""
    place = bisect.bisect([other.since for other in tuple(stock.idle)], record.since)
    stock.idle.insert(place, record)


def _resting(stock: Stock) -> Iterator[tuple[Record, Resting]]:
    now, size, idle = time.monotonic(), stock.size(), list(stock.idle)
    for place, record in enumerate(idle):
        yield record, Resting(now - record.made, now - record.since, len(idle) - 1 - place, size)


def _cause(stock: Stock, record: Record, resting: Resting) -> str | None:
    settings = stock.settings
    if time.monotonic() >= record.expires:
        return "lifetime"
    if settings.idle_timeout is not None and resting.idle >= settings.idle_timeout:
        return "idle"
    try:
        return "evicted" if settings.eviction is not None and settings.eviction(resting) else None
    except Exception:
        logger.exception("eviction of pool %r failed; the resource stays", settings.name)
        return None


def _origin(record: Record) -> str:
    return f"; acquired at:\n{record.stack}" if record.stack else ""
