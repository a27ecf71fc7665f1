"""The two sides of a ring: one producer and one consumer, each a thread or a task."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from poolware._core.loops import time_limit
from poolware._core.options import not_negative_or_none
from poolware._core.wakeups import ThreadWakeup, Wakeup, loop_wakeup
from poolware.errors import RingMisuse, RingTimeout
from poolware.pools.rings.state import RingState


class Side:
    """Lets one at a time in, who gets a slot's view or waits for it, and keeps others out until `leave`.

    Args:
        name: for messages.
        state: of the ring.
        look: returns the view; None as long as there is nothing.
        undo: takes back what `look` has returned to somebody who was interrupted in that moment.
    """

    __slots__ = ("_look", "_name", "_occupied", "_sleeper", "_state", "_undo", "waits")

    def __init__(
        self, name: str, state: RingState, look: Callable[[], memoryview | None], undo: Callable[[], object]
    ) -> None:
        self.waits: int = 0
        """How often there was something to wait for."""
        self._name = name
        self._state = state
        self._look = look
        self._undo = undo
        self._occupied = threading.Lock()
        self._sleeper: Wakeup | None = None

    def wait(self, timeout: float | None) -> memoryview:
        """Return a view as soon as there is one. Raises `RingTimeout` after `timeout` seconds."""
        seconds = not_negative_or_none("timeout", timeout)
        self._enter()
        try:
            if (view := self._look()) is not None:
                return view
            ends = None if seconds is None else time.monotonic() + seconds
            self.waits += 1
            self._sleeper = sleeper = ThreadWakeup()  # before the second look: who comes after that will wake
            while (view := self._look()) is None:
                sleeper.sleep(None if ends is None else ends - time.monotonic())
        except BaseException as error:
            self._leave_without(error, seconds)
            raise
        self._sleeper = None
        return view

    async def await_(self, timeout: float | None) -> memoryview:
        """As `wait`, on the event loop that runs now."""
        seconds = not_negative_or_none("timeout", timeout)
        self._enter()
        try:
            if (view := self._look()) is not None:
                return view
            self.waits += 1
            self._sleeper = sleeper = loop_wakeup()
            async with time_limit(seconds):
                while (view := self._look()) is None:
                    await sleeper.sleep()
        except BaseException as error:
            self._leave_without(error, seconds)
            raise
        self._sleeper = None
        return view

    def leave(self) -> None:
        """Let the next one in."""
        self._occupied.release()

    def wake(self) -> None:
        """Have whoever waits here look again. Never waits."""
        sleeper = self._sleeper
        if sleeper is not None:
            sleeper.wake()

    def _enter(self) -> None:
        self._state.refuse_if_closed()
        if not self._occupied.acquire(blocking=False):
            msg = f"{self._state}: its {self._name} is waiting, or has a slot in hand; it takes no second {self._name}"
            raise RingMisuse(msg)

    def _leave_without(self, error: BaseException, seconds: float | None) -> None:
        self._sleeper = None
        self._undo()
        self.leave()
        if isinstance(error, TimeoutError):
            msg = f"{self._state}: its {self._name} has waited for {seconds} s; the other side does not get on"
            raise RingTimeout(msg) from None
