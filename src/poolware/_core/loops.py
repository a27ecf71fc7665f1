"""The one thing that the event loops do differently: giving up after a time."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager


def time_limit(seconds: float | None) -> AbstractAsyncContextManager[object]:
    """Return a block that raises TimeoutError after `seconds`, on the loop that runs now: asyncio's or trio's."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _trio_limit(seconds)
    return asyncio.timeout(seconds)


@asynccontextmanager
async def _trio_limit(seconds: float | None) -> AsyncIterator[None]:
    trio = sys.modules["trio"]  # it runs this coroutine
    with trio.move_on_after(float("inf") if seconds is None else seconds) as scope:
        yield
    if scope.cancelled_caught:
        raise TimeoutError
