"""Which event loop runs, and what asyncio and trio do differently.

Neither is imported here: whoever runs a loop has done that.
"""

from __future__ import annotations

import contextvars
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from poolware._core.log import logger

_tasks: set[Any] = set()
"""What runs in the background: asyncio itself holds its tasks weakly."""


def running_asyncio() -> Any:
    """Return the module asyncio if a loop of its runs in this thread, else None."""
    asyncio = sys.modules.get("asyncio")
    return asyncio if asyncio and asyncio._get_running_loop() else None


def current_loop() -> Any:
    """Return what stands for the event loop that runs in this thread; None if there is none.

    That is asyncio's loop, or the token of trio's run.
    """
    asyncio, trio = sys.modules.get("asyncio"), sys.modules.get("trio")
    loop = asyncio and asyncio._get_running_loop()
    if loop is not None or trio is None:
        return loop
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
        except BaseException as error:
            if ends_task(error):
                raise
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
    asyncio, trio = running_asyncio(), sys.modules.get("trio")
    if asyncio and isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    if asyncio:
        return isinstance(error, GeneratorExit | KeyboardInterrupt | SystemExit)
    return isinstance(error, GeneratorExit) or (trio is not None and isinstance(error, trio.Cancelled))


async def shielded(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do `work` to its end, however often this task is cancelled meanwhile; then let the cancellation go on."""
    asyncio = running_asyncio()
    if not asyncio:
        with sys.modules["trio"].CancelScope(shield=True):
            await work()
        return
    loop = asyncio.get_running_loop()
    task = loop.create_task(work())
    cancelled = None
    while not task.done():
        done = loop.create_future()  # asyncio.wait() costs as much again
        task.add_done_callback(lambda _, done=done: done.done() or done.set_result(None))
        try:
            await done
        except asyncio.CancelledError as error:
            cancelled = error
    try:
        if cancelled is not None:
            raise cancelled
        task.result()
    finally:
        del cancelled  # it holds this frame, and this frame would hold it


def is_awaitable(obj: object) -> bool:
    """Whether `obj` has to be awaited."""
    return hasattr(obj, "__await__")


async def sleep(seconds: float) -> None:
    """Wait on the loop that runs now."""
    await (running_asyncio() or sys.modules["trio"]).sleep(seconds)


def time_limit(seconds: float | None) -> AbstractAsyncContextManager[object]:
    """Return a block that raises TimeoutError after `seconds`, on the loop that runs now."""
    asyncio = running_asyncio()
    limit: AbstractAsyncContextManager[object] = asyncio.timeout(seconds) if asyncio else _trio_limit(seconds)
    return limit


@asynccontextmanager
async def _trio_limit(seconds: float | None) -> AsyncIterator[None]:
    trio = sys.modules["trio"]  # it runs this coroutine
    with trio.move_on_after(float("inf") if seconds is None else seconds) as scope:
        yield
    if scope.cancelled_caught:
        raise TimeoutError
