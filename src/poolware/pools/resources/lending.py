"""Acquiring a resource when it takes more than a look, and taking one back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from poolware._core.log import logger
from poolware._core.loops import current_loop
from poolware.errors import PoolTimeout, TooManyWaiting
from poolware.pools.resources.creation import in_background
from poolware.pools.resources.record import Record
from poolware.pools.resources.steps import Steps, Wait, drive
from poolware.pools.resources.waiting import Waiter

if TYPE_CHECKING:
    from poolware.pools.resources.stock import Stock


def acquiring(stock: Stock, wakeup: Callable[[], Any], timeout: float | None, rank: int) -> Steps[Any]:
    """Queue for a resource, and check it; what does not pass is discarded, and one comes again, as the first."""
    waiter = Waiter(wakeup(), rank)
    deadline = None if timeout is None else waiter.arrived + timeout
    try:
        with stock.lock:
            stock.must_be_open()
            stock.home = waiter.loop if stock.settings.is_async else None
            if not stock.idle and stock.size() >= stock.max_size:
                stock.counts["exhausted"] += 1
                stock.events.tell("exhaust")
            missed = bool(stock.queue) or stock.next_for(waiter.loop) is None
            stock.queue.add(waiter)
            stock.look()  # from now on nobody passes it
        stock.settle()
        _turn_away(stock, waiter)
        while True:
            yield Wait(waiter.wakeup, None if deadline is None else deadline - time.monotonic())
            record = _received(stock, waiter, timeout)
            if (yield from _passes(stock, record, waiter)):
                return _handed_out(stock, record, waiter, missed=missed)
            missed = True  # what rested was not fit
            with stock.lock:
                stock.must_be_open()
                waiter.wakeup = wakeup()
                stock.queue.put_back(waiter)
            stock.settle()
    except BaseException:
        _leave(stock, waiter)
        raise


def returning(stock: Stock, record: Record, *, failed: bool) -> Steps[None]:
    """Make what has come back fit for the next one, or let go of it."""
    cause: str | None = "interrupted"
    try:
        cause = yield from _restore(stock, record, failed=failed)
    finally:
        with stock.lock:
            cause = cause or unwanted(stock, record)
            if cause is None:
                stock.rest(record, time.monotonic())
        if cause is not None:
            stock.discard([record], cause)
        stock.settle()


def take_back(stock: Stock, record: Record, *, failed: bool) -> None:
    """Carry `returning` out where it belongs: on the resource's loop, apart from what must not wait, or here."""
    settings = stock.settings
    stock.events.tell("put", record.obj, duration=time.monotonic() - record.since)
    if settings.rests_as_it_is and not failed and not stock.inside():
        with stock.lock:
            if unwanted(stock, record) is None:
                stock.rest(record, time.monotonic())
                stock.serve()
                return
    validated = settings.validate is not None and (failed or "release" in settings.validate_on)
    if record.loop is not None:
        away = validated or settings.reset is not None
    else:
        away = (validated and current_loop() is not None) or stock.inside()
    if not away:
        drive(returning(stock, record, failed=failed))
        return
    try:
        in_background(record.loop, lambda: returning(stock, record, failed=failed), f"release of {settings.name!r}")
    except RuntimeError:  # the loop has ended (H27)
        stock.discard([record], "loop_ended")
        stock.settle()


def _turn_away(stock: Stock, waiter: Waiter) -> None:
    limit = stock.settings.max_waiting
    if limit is None:
        return
    with stock.lock:
        if waiter.record is not None or len(stock.queue) - len(stock.creating) <= limit:
            return
        stock.counts["turned_away"] += 1
        msg = f"pool {stock.settings.name!r}: {limit} wait already (max_waiting); {stock.figures()}"
    raise TooManyWaiting(msg)


def _received(stock: Stock, waiter: Waiter, timeout: float | None) -> Record:
    """Return what `waiter` was given, if only at the last moment."""
    with stock.lock:
        record: Record | None = waiter.record
        if record is not None:
            return record
        if waiter.error is not None:
            raise waiter.error
        stock.counts["timeouts"] += 1
        stock.events.tell("timeout", duration=time.monotonic() - waiter.arrived)
        msg = f"pool {stock.settings.name!r}: nothing came free within {timeout:g} s; {stock.figures()}"
        raise PoolTimeout(msg) from stock.last_error


def _handed_out(stock: Stock, record: Record, waiter: Waiter, *, missed: bool) -> Any:
    with stock.lock:
        waited = time.monotonic() - waiter.arrived
        stock.wait.add(waited)
        stock.counts["misses"] += missed
        obj = stock.hand_out(record, waited)
        waiter.record = None  # last: until then an interrupted caller leaves it to the next one
        return obj


def _leave(stock: Stock, waiter: Waiter) -> None:
    """Go without anything; what `waiter` was given in this very moment is for the next one."""
    useless: list[Record] = []
    with stock.lock:
        stock.queue.remove(waiter)
        record: Record | None = waiter.record
        if record is not None:
            record.waiter = waiter.record = None
            stock.unlend(record)
            (useless if unwanted(stock, record) else stock.idle).append(record)
    stock.discard(useless, "closed")
    stock.settle()


def _passes(stock: Stock, record: Record, waiter: Waiter) -> Steps[bool]:
    """Whether a resource that was just lent is good; lets go of it if not."""
    settings = stock.settings
    cause: str | None = "interrupted"
    try:
        cause = unwanted(stock, record)
        if cause is None and time.monotonic() - record.checked > settings.trusted_for:
            cause = yield from validation(stock, record)
    finally:
        if cause is not None:
            with stock.lock:
                record.waiter = waiter.record = None
                stock.unlend(record)
            stock.discard([record], cause)
    return cause is None


def validation(stock: Stock, record: Record) -> Steps[str | None]:
    """Ask `validate`, if there is one; return why the resource is to go, if it is."""
    hook = stock.settings.validate
    if hook is None:
        return None
    try:
        if (yield hook(record.obj)):
            record.checked = time.monotonic()
            return None
    except Exception as error:
        logger.warning("%s failed; the resource is discarded: %r", hook.name, error)
    with stock.lock:
        stock.counts["validation_failures"] += 1
    return "validation"


def _restore(stock: Stock, record: Record, *, failed: bool) -> Steps[str | None]:
    """Reset and validate; return why the resource is to go, if it is."""
    settings = stock.settings
    cause = unwanted(stock, record) if settings.reuse else "off"
    if cause is None and failed and settings.validate is None:
        cause = "failed"
    if cause is None and settings.reset is not None:
        try:
            yield settings.reset(record.obj)
        except Exception as error:
            with stock.lock:
                stock.counts["reset_errors"] += 1
            logger.warning("%s failed; the resource is discarded: %r", settings.reset.name, error)
            cause = "reset"
    if cause is None and (failed or "release" in settings.validate_on):
        cause = yield from validation(stock, record)
    return cause


def unwanted(stock: Stock, record: Record) -> str | None:
    """Why the pool has no more use for a resource, however well it works."""
    if not stock.open:
        return "closed"
    if record.end:
        return record.end
    if stock.excess() > 0:
        return "resized"
    return "lifetime" if time.monotonic() >= record.expires else None
