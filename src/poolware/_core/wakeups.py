"""Waiting for somebody else, in a thread or on an event loop, woken from anywhere."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

from poolware._core.loops import call_soon, current_loop, time_limit


class ThreadWakeup:
    """For one thread to wait, once."""

    __slots__ = ("_lock",)
    loop = None

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def wake(self) -> None:
        """Wake who waits, or will wait; a second call does nothing."""
        if self._lock.locked():
            self._lock.release()

    def run(self, seconds: float | None) -> bool:
        """Wait for `seconds` at the most; return whether it was woken."""
        limit = -1 if seconds is None else min(max(seconds, 0), threading.TIMEOUT_MAX)
        return self._lock.acquire(timeout=limit)


class LoopWakeup:
    """For one task to wait, once, on the asyncio or trio loop that runs now."""

    __slots__ = ("_event", "loop")

    def __init__(self) -> None:
        self.loop: Any = current_loop()
        self._event = asyncio.Event() if hasattr(self.loop, "create_task") else sys.modules["trio"].Event()

    def wake(self) -> None:
        """Wake who waits, or will wait.

        Raises:
            RuntimeError: the loop has ended.
        """
        call_soon(self.loop, self._event.set)

    async def arun(self, seconds: float | None) -> bool:
        """Wait for `seconds` at the most; return whether it was woken."""
        try:
            async with time_limit(None if seconds is None else max(seconds, 0)):
                await self._event.wait()
        except TimeoutError:
            return False
        return True
