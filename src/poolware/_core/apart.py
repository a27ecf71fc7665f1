"""Work that may block, in a thread of its own."""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

from poolware._core.log import logger
from poolware._core.wakeups import ThreadWakeup, Wakeup, loop_wakeup

T = TypeVar("T")


def run_apart(task: Callable[[], object], name: str) -> None:
    """Run `task` in a short-lived daemon thread, which never keeps the process alive. Its errors are logged.

    Raises:
        RuntimeError: there can be no more threads.
    """

    def run() -> None:
        try:
            task()
        except BaseException:
            logger.exception("%s failed", name)

    start(threading.Thread(target=run, name=f"poolware: {name}", daemon=True))


def start(thread: threading.Thread) -> None:
    """Start `thread`, without the caller's context variables, which are a request's and none of its business (H10).

    Raises RuntimeError when there can be no more threads, as CPython does by itself from 3.12 on. 3.11 waits for a
    thread that never runs, and the process for ever (H35).
    """
    if sys.is_finalizing():
        msg = "can't create new thread at interpreter shutdown"
        raise RuntimeError(msg)
    contextvars.Context().run(thread.start)  # which `-X thread_inherit_context` has copied


def bounded(call: Callable[[], T], seconds: float, name: str) -> T:
    """Return what `call` returns, or raise what it raises.

    Python cannot interrupt a function: after `seconds` the thread it runs in is left to itself.

    Raises:
        TimeoutError: it took longer.
    """
    wakeup = ThreadWakeup()
    result = _begin(call, name, wakeup)
    try:
        wakeup.sleep(seconds)
    except TimeoutError:
        raise _too_long(name, seconds) from None
    return result()


async def abounded(call: Callable[[], T], seconds: float, name: str) -> T:
    """As `bounded`, for a caller on an event loop."""
    wakeup = loop_wakeup()
    result = _begin(call, name, wakeup)
    try:
        await wakeup.sleep(seconds)
    except TimeoutError:
        raise _too_long(name, seconds) from None
    return result()


def _begin(call: Callable[[], T], name: str, wakeup: Wakeup) -> Callable[[], T]:
    """Begin `call` in a thread that calls `wakeup` at the end; return the function that says how it ended."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)
        finally:
            wakeup.wake()

    def result() -> T:
        if errors:
            raise errors.pop()
        return results.pop()

    run_apart(run, name)
    return result


def _too_long(name: str, seconds: float) -> TimeoutError:
    return TimeoutError(f"{name} took longer than {seconds:g} s")
