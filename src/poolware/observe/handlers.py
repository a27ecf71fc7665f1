"""Alert handlers, kept apart from whatever raises the alarm (H39)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from poolware._core.apart import start
from poolware._core.log import logger
from poolware.pools.forks import restart_in_child

__all__ = ["Apart"]

E = TypeVar("E")


class Apart(Generic[E]):
    """Calls `handler` in a thread of its own, one event after the other.

    At most `limit` events wait for one that is slow or hangs; what comes beyond that is dropped and counted. The thread
    ends when there is nothing left to do, and never keeps the process alive.
    """

    def __init__(self, handler: Callable[[E], object], limit: int = 100) -> None:
        self.handler = handler
        self.limit = limit
        self.dropped: int = 0
        """Events that the handler has not been given."""
        self.failed: int = 0
        """Events for which it raised."""
        self._lock = threading.RLock()
        self._events: deque[E] = deque()
        self._running = False
        restart_in_child(self)

    def put(self, event: E) -> None:
        """Have the handler called with `event`; returns at once."""
        with self._lock:
            if len(self._events) >= self.limit:
                self.dropped += 1
                if self.dropped == 1:
                    logger.error("alert handler %r takes too long: it is not told of everything", self.handler)
                return
            self._events.append(event)
            if not self._running:
                self._running = True
                self._start()

    def _start(self) -> None:
        try:
            start(threading.Thread(target=self._run, name="poolware: alert handler", daemon=True))
        except RuntimeError as error:  # the interpreter is about to end
            self._running = False
            logger.warning("alert handler %r is not called: %s", self.handler, error)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._events:
                    self._running = False
                    return
                event = self._events.popleft()
            try:
                self.handler(event)
            except BaseException:
                self.failed += 1
                logger.exception("alert handler %r failed", self.handler)

    def _after_fork(self) -> None:
        self._lock = threading.RLock()
        self._events.clear()
        self._running = False
