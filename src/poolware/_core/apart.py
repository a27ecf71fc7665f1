"""Work that may block, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from poolware._core.log import logger

T = TypeVar("T")


def run_apart(task: Callable[[], object], name: str) -> None:
    """Run `task` in a short-lived daemon thread, which never keeps the process alive. Its errors are logged."""

    def run() -> None:
        try:
            task()
        except BaseException:
            logger.exception("%s failed", name)

    threading.Thread(target=run, name=f"poolware: {name}", daemon=True).start()


def bounded(call: Callable[[], T], seconds: float, name: str) -> T:
    """Return what `call` returns, or raise what it raises.

    Python cannot interrupt a function: after `seconds` the thread it runs in is left to itself.

    Raises:
        TimeoutError: it took longer.
    """
    done = threading.Event()
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name=f"poolware: {name}", daemon=True).start()
    if not done.wait(seconds):
        msg = f"{name} took longer than {seconds:g} s"
        raise TimeoutError(msg)
    if errors:
        raise errors.pop()
    return results.pop()
