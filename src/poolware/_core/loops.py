"""What the event loops do differently: giving up after a time, shielding, starting something from outside."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

Work = Callable[[], Coroutine[Any, Any, None]]

_started: set[asyncio.Task[None]] = set()
"""A loop holds its tasks weakly."""


def running_loop() -> Any:
    """Return asyncio's loop, or the token of trio's run, that runs now. Raises RuntimeError where there is none."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        if "trio" not in sys.modules:
            raise
        return sys.modules["trio"].lowlevel.current_trio_token()


def time_limit(seconds: float | None) -> AbstractAsyncContextManager[object]:
    """Return a block that raises TimeoutError after `seconds`, on the loop that runs now: asyncio's or trio's."""
    if isinstance(running_loop(), asyncio.AbstractEventLoop):
        return asyncio.timeout(seconds)
    return _trio_limit(seconds)


@asynccontextmanager
async def _trio_limit(seconds: float | None) -> AsyncIterator[None]:
    trio = sys.modules["trio"]  # it runs this coroutine
    with trio.move_on_after(float("inf") if seconds is None else seconds) as scope:
        yield
    if scope.cancelled_caught:
        raise TimeoutError


async def shielded(work: Work) -> None:
    """Do `work` to its end, however often this task is cancelled meanwhile; then let the cancellation go on."""
    loop = running_loop()
    if not isinstance(loop, asyncio.AbstractEventLoop):
        with sys.modules["trio"].CancelScope(shield=True):
            await work()
        return
    task = loop.create_task(work())
    cancelled = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    try:
        if cancelled is not None:
            raise cancelled
        task.result()
    finally:
        del cancelled  # it holds this frame, and this frame would hold it


def start_soon(loop: Any, work: Work) -> None:
    """Start `work` on `loop`, from any thread. Raises RuntimeError if the loop has ended."""
    if isinstance(loop, asyncio.AbstractEventLoop):
        loop.call_soon_threadsafe(_start, loop, work)
    else:
        loop.run_sync_soon(sys.modules["trio"].lowlevel.spawn_system_task, work)


def _start(loop: asyncio.AbstractEventLoop, work: Work) -> None:
    task = loop.create_task(work())
    _started.add(task)
    task.add_done_callback(_started.discard)


def is_awaitable(obj: object) -> bool:
    """Whether `obj` has to be awaited."""
    return hasattr(obj, "__await__")
