"""Sleeping until somebody, in whatever thread, says that there is something to look at.

A `Wakeup` belongs to one sleeper. `wake` never waits and takes no lock that its own thread may hold, so that
finalizers, weakref callbacks and signal handlers may call it; called before the sleep, or many times, it counts once.
What there is to look at is the caller's: look, sleep, and look again.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from typing import Any, Protocol

from poolware._core.loops import running_asyncio, time_limit


class Wakeup(Protocol):
    """What whoever wakes needs to know of a sleeper."""

    loop: Any
    """The event loop on which it sleeps: asyncio's, or the token of trio's run. None for a thread."""

    def wake(self) -> bool:
        """End the sleep, or the next one if nobody sleeps now; from any thread. False if its loop has ended."""
        ...


class LoopWakeup(Wakeup, Protocol):
    """A sleeper on an event loop."""

    async def sleep(self, timeout: float | None = None) -> None:
        """Return after `wake`. Raises TimeoutError after `timeout` seconds."""
        ...


class ThreadWakeup:
    """A sleeping thread."""

    __slots__ = ("_asleep",)
    loop: Any = None

    def __init__(self) -> None:
        self._asleep = threading.Lock()  # no Event: its lock would stop a finalizer that runs inside of set()
        self._asleep.acquire()

    def wake(self) -> bool:
        """End the sleep."""
        with suppress(RuntimeError):  # awake already
            self._asleep.release()
        return True

    def sleep(self, timeout: float | None = None) -> None:
        """Return after `wake`. Raises TimeoutError after `timeout` seconds."""
        if not self._asleep.acquire(timeout=-1 if timeout is None else min(max(timeout, 0), threading.TIMEOUT_MAX)):
            raise TimeoutError


class AsyncioWakeup:
    """A sleeping task of asyncio."""

    __slots__ = ("_asked", "_asleep", "_awake", "loop")

    def __init__(self, asyncio: Any) -> None:
        self.loop: Any = asyncio.get_running_loop()
        self._asleep: Any = None
        self._asked = False  # to be woken
        self._awake = False

    def wake(self) -> bool:
        """End the sleep."""
        if not self._asked:
            self._asked = True
            try:
                # On the loop's own thread too: a signal handler may run while that waits for its sockets.
                self.loop.call_soon_threadsafe(self._set)
            except RuntimeError:  # the loop is closed, and the sleeper gone with it
                return False
        return True

    async def sleep(self, timeout: float | None = None) -> None:
        """Return after `wake`. Raises TimeoutError after `timeout` seconds."""
        if not self._awake:
            self._asleep = self.loop.create_future()
            # A third of what asyncio.timeout() costs, on the way of everybody who waits for a pool.
            limit = None if timeout is None else self.loop.call_later(max(timeout, 0), _end, self._asleep)
            try:
                await self._asleep
            finally:
                if limit is not None:
                    limit.cancel()
        if not self._awake:
            raise TimeoutError
        self._asked = self._awake = False

    def _set(self) -> None:
        self._awake = True
        if self._asleep is not None:
            _end(self._asleep)


class TrioWakeup:
    """A sleeping task of trio."""

    __slots__ = ("_event", "_trio", "loop")

    def __init__(self, trio: Any) -> None:
        self._trio = trio
        self.loop: Any = trio.lowlevel.current_trio_token()
        self._event = trio.Event()

    def wake(self) -> bool:
        """End the sleep."""
        try:
            self.loop.run_sync_soon(self._set, idempotent=True)
        except self._trio.RunFinishedError:  # the run is over, and the sleeper gone with it
            return False
        return True

    async def sleep(self, timeout: float | None = None) -> None:
        """Return after `wake`. Raises TimeoutError after `timeout` seconds."""
        async with time_limit(timeout):
            await self._event.wait()
        self._event = self._trio.Event()

    def _set(self) -> None:
        self._event.set()


def _end(future: Any) -> None:
    if not future.done():
        future.set_result(None)


def loop_wakeup() -> LoopWakeup:
    """Return a wakeup for a task of the event loop that runs now: asyncio's or trio's."""
    asyncio = running_asyncio()
    return AsyncioWakeup(asyncio) if asyncio else TrioWakeup(sys.modules["trio"])
