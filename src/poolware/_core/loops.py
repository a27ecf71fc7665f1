"""What asyncio and trio do differently."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from poolware._core.log import logger

_tasks: set[asyncio.Task[None]] = set()
"""What runs in the background: asyncio itself holds its tasks weakly."""


def current_loop() -> Any:
    """Return what stands for the event loop that runs in this thread, asyncio's or trio's; None if there is none."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        trio = sys.modules.get("trio")
        if trio is None:
            return None
    try:
        return trio.lowlevel.current_trio_token()
    except RuntimeError:
        return None


def call_soon(loop: Any, call: Callable[[], object]) -> None:
    """Have `loop` call `call`; from any thread.

    Raises:
        RuntimeError: the loop has ended.
    """
    if hasattr(loop, "call_soon_threadsafe"):
        # In a context of its own: what is done for the pool has nothing to do with the request of this moment (H10).
        loop.call_soon_threadsafe(call, context=contextvars.Context())
    else:
        loop.run_sync_soon(call)


def spawn(loop: Any, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` on `loop` in the background; from any thread. Its errors are logged.

    Raises:
        RuntimeError: the loop has ended.
    """

    async def run() -> None:
        try:
            await work()
        except Exception:
            logger.exception("work in the background failed")

    def start() -> None:
        if hasattr(loop, "create_task"):
            task = loop.create_task(run())
            _tasks.add(task)
            task.add_done_callback(_tasks.discard)
        else:
            sys.modules["trio"].lowlevel.spawn_system_task(run, context=contextvars.Context())

    call_soon(loop, start)


def ends_task(error: BaseException) -> bool:
    """Whether `error` ends the task that it was raised in, rather than coming from what that task called."""
    if isinstance(error, asyncio.CancelledError) and isinstance(current_loop(), asyncio.AbstractEventLoop):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    trio = sys.modules.get("trio")
    ending = (GeneratorExit, KeyboardInterrupt, SystemExit)
    return isinstance(error, ending if trio is None else (*ending, trio.Cancelled))


async def sleep(seconds: float) -> None:
    """Wait on the loop that runs now."""
    if isinstance(current_loop(), asyncio.AbstractEventLoop):
        await asyncio.sleep(seconds)
    else:
        await sys.modules["trio"].sleep(seconds)


def time_limit(seconds: float | None) -> AbstractAsyncContextManager[object]:
    """Return a block that raises TimeoutError after `seconds`, on the loop that runs now."""
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
