"""Making and unmaking resources, in the background and never under the lock of the pool."""

from __future__ import annotations

import inspect
import random
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from poolware._core.apart import run_apart
from poolware._core.log import logger
from poolware._core.loops import ends_task, spawn
from poolware.errors import ConfigurationError, PoolTimeout
from poolware.pools.resources.backoff import delay
from poolware.pools.resources.record import Record
from poolware.pools.resources.steps import Pause, Steps, Wait, adrive, drive

if TYPE_CHECKING:
    from poolware.pools.resources.stock import Place, Stock

_JITTER = 0.1
"""By which part of ``max_lifetime`` a resource may end earlier."""


def close(resource: Any) -> object:
    """Close `resource` if it can be closed: what a pool does with what it lets go of, unless told otherwise."""
    method = _closing(resource)
    return None if method is None else method()


def begin(stock: Stock, place: Place) -> None:
    """Make a resource for `place`."""
    try:
        in_background(place.loop, partial(creation, stock, place), stock.settings.factory.name)
    except RuntimeError as error:  # the loop has ended (H27), or there can be no more threads
        with stock.lock:
            stock.creating.discard(place)
            stock.last_error = error
            if stock.home is place.loop:
                stock.home = None


def undo(stock: Stock, records: list[Record]) -> None:
    """Destroy the resources of `records`, which the pool has forgotten already."""
    if stock.settings.destroy is None:
        return
    for loop in {record.loop for record in records}:
        ours = [record for record in records if record.loop is loop]
        try:
            in_background(loop, partial(destruction, stock, ours), stock.settings.destroy.name)
        except RuntimeError:
            if loop is None:  # the interpreter is about to end: no more threads
                drive(destruction(stock, ours))


def in_background(loop: Any, steps: Callable[[], Steps[None]], name: str) -> None:
    """Carry `steps` out on `loop`, or in a thread if it is None.

    Raises:
        RuntimeError: the loop has ended, or there can be no more threads.
    """
    if loop is None:
        run_apart(lambda: drive(steps()), name)
    else:
        spawn(loop, lambda: adrive(steps()))


def creation(stock: Stock, place: Place) -> Steps[None]:
    """Make one resource; after a failure try again for as long as somebody wants it."""
    try:
        while place in stock.creating:
            try:
                begun = time.monotonic()
                obj = yield stock.settings.factory()
                _add(stock, obj, place, begun)
            except ConfigurationError as error:
                _give_up(stock, error)
                break
            except BaseException as error:
                if place.loop is not None and ends_task(error):
                    raise
                yield Pause(_failed(stock, error))
                with stock.lock:
                    if not stock.open or not (stock.queue or stock.size() <= stock.min_size):
                        break
    except BaseException:
        stock.free(place)
        stock.settle(ended=place.loop)
        raise
    stock.free(place)
    stock.settle()


def warming_up(stock: Stock, make_wakeup: Callable[[], Any], limit: float | None) -> Steps[None]:
    """Make `min_size` resources, and wait until they are there. Raises `PoolTimeout` after `limit` seconds."""
    settings = stock.settings
    with stock.lock:
        stock.last_error = None  # it may have been put right since
    deadline = None if limit is None else time.monotonic() + limit
    while True:
        wakeup = make_wakeup()
        with stock.lock:
            stock.must_be_open()
            stock.home = wakeup.loop if settings.is_async else None
            if len(stock.records) >= stock.min_size:
                return
            stock.grown.append(wakeup)
        try:
            stock.settle()
            woken = yield Wait(wakeup, None if deadline is None else deadline - time.monotonic())
        finally:
            with stock.lock:
                stock.grown.remove(wakeup)
        if isinstance(stock.last_error, ConfigurationError):
            raise stock.last_error
        if not woken:
            with stock.lock:
                made = f"{len(stock.records)} of {stock.min_size} made within {limit:g} s; {stock.figures()}"
            msg = f"pool {settings.name!r}: {made}"
            raise PoolTimeout(msg) from stock.last_error


def destruction(stock: Stock, records: list[Record]) -> Steps[None]:
    """Destroy the resources of `records`, all of them: an interrupt, or the end of the task, waits until then."""
    destroy, interrupt = stock.settings.destroy, None
    while destroy is not None and records:
        record = records.pop()
        try:
            yield destroy(record.obj)
        except GeneratorExit:
            raise
        except BaseException as error:
            with stock.lock:
                stock.counts["destroy_errors"] += 1
            logger.exception("%s failed", destroy.name)
            interrupt = interrupt if isinstance(error, Exception) else error
        stock.has_ended(record)
    if interrupt is not None:
        raise interrupt


def _add(stock: Stock, obj: Any, place: Place, begun: float) -> None:
    _check(stock, obj)
    now = time.monotonic()
    lifetime = stock.settings.max_lifetime
    expires = float("inf") if lifetime is None else now + lifetime * random.uniform(1 - _JITTER, 1)  # noqa: S311
    record = Record(obj, place.loop, now, expires)
    with stock.lock:
        if id(obj) in stock.records:
            msg = f"{stock.settings.factory.name} returned a resource that the pool has already; it must make a new one"
            raise ConfigurationError(msg)
        stock.creating.discard(place)
        stock.records[id(obj)] = record
        stock.counts["created"] += 1
        stock.events.tell("create", obj, duration=now - begun)
        stock.failures, stock.last_error = 0, None
        wanted = stock.open and stock.excess() <= 0
        if wanted:
            stock.rest(record, now)
        stock.tell_of_growth()
    if not wanted:  # closed or resized meanwhile
        stock.discard([record], "closed")


def _failed(stock: Stock, error: BaseException) -> float:
    """Note it; return the seconds after which to try again."""
    with stock.lock:
        stock.failures += 1
        stock.last_error = error
        stock.counts["creation_errors"] += 1
        pause = delay(stock.failures, stock.settings.max_backoff)
    logger.warning("%s failed, again in %.2f s: %r", stock.settings.factory.name, pause, error)
    return pause


def _give_up(stock: Stock, error: ConfigurationError) -> None:
    """Tell everybody who waits: trying again would not help."""
    with stock.lock:
        stock.counts["creation_errors"] += 1
        stock.last_error = error
        stock.tell_everybody(error)
        stock.tell_of_growth()


def _check(stock: Stock, obj: Any) -> None:
    """Raise `ConfigurationError` for what cannot be pooled."""
    settings = stock.settings
    if settings.destroy is not None and settings.destroy.function is close and not settings.is_async:
        method = _closing(obj)
        if inspect.iscoroutinefunction(method):
            msg = (
                f"{settings.factory.name} returned a {type(obj).__qualname__}, which is closed by a coroutine; pass "
                f"destroy={type(obj).__qualname__}.{method.__name__}, so that the pool knows"
            )
            raise ConfigurationError(msg)


def _closing(resource: Any) -> Any:
    for name in ("aclose", "close"):
        method = getattr(resource, name, None)
        if callable(method):
            return method
    return None
