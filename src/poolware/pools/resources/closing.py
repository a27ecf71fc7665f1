"""The end of a resource pool."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from poolware._core.log import logger
from poolware.errors import PoolClosed, PoolTimeout
from poolware.pools.resources.creation import destruction, undo
from poolware.pools.resources.steps import Steps, Wait

if TYPE_CHECKING:
    from poolware.pools.resources.stock import Stock


def draining(stock: Stock, wakeup: Any, limit: float | None) -> Steps[None]:
    """Lend nothing any more, and wait until everything rests. Raises `PoolTimeout` after `limit` seconds."""
    name = stock.settings.name
    deadline = None if limit is None else time.monotonic() + limit
    with stock.lock:
        stock.open = False
        stock.tell_everybody(PoolClosed(f"pool {name!r} has been closed: it lends nothing any more"))
        stock.tell_of_growth()
        stock.emptied.append(wakeup)
    woken = True
    try:
        while True:
            with stock.lock:
                if not stock.out():
                    return
                if not woken:
                    msg = f"pool {name!r}: not everything has come back within {limit:g} s; {stock.figures()}"
                    raise PoolTimeout(msg)
            woken = yield Wait(wakeup, None if deadline is None else deadline - time.monotonic())
    finally:
        with stock.lock:
            stock.emptied.remove(wakeup)


def closing(stock: Stock, wakeup: Any, limit: float | None) -> Steps[None]:
    """Drain, and let go of everything that rests; of what does not, when it comes back."""
    try:
        yield from draining(stock, wakeup, limit)
    except PoolTimeout as error:
        logger.warning("%s; the rest is let go of as it comes back", error)
    with stock.lock:
        resting = stock.take_idle()
    stock.forget(resting, "closed")
    here = [record for record in resting if record.loop is None or record.loop is wakeup.loop]
    undo(stock, [record for record in resting if record not in here])
    yield from destruction(stock, here)
