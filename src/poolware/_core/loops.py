"""Which event loop runs, and the one thing that they do differently: giving up after a time.

Neither is imported here: the loop that runs this was.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any


def time_limit(seconds: float | None) -> AbstractAsyncContextManager[object]:
    """Return a block that raises TimeoutError after `seconds`, on the loop that runs now: asyncio's or trio's."""
    asyncio = running_asyncio()
    limit: AbstractAsyncContextManager[object] = asyncio.timeout(seconds) if asyncio else _trio_limit(seconds)
    return limit


def running_asyncio() -> Any:
    """Return the module asyncio if a loop of its runs in this thread, else None."""
    asyncio = sys.modules.get("asyncio")
    return asyncio if asyncio and asyncio._get_running_loop() else None


@asynccontextmanager
async def _trio_limit(seconds: float | None) -> AsyncIterator[None]:
    trio = sys.modules["trio"]  # it runs this coroutine
    with trio.move_on_after(float("inf") if seconds is None else seconds) as scope:
        yield
    if scope.cancelled_caught:
        raise TimeoutError
