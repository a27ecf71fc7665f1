"""The one maintenance thread of a process: everything periodic runs on it."""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress

from poolware._core.apart import run_apart, start
from poolware._core.log import logger
from poolware.pools.forks import restart_in_child

__all__ = ["Beat", "Heartbeat", "heartbeat"]


class Beat:
    """A task that runs every `period` seconds, until it is stopped or the object whose method it is has gone."""

    __slots__ = ("__weakref__", "_task", "apart", "period", "running")

    def __init__(self, period: float, task: Callable[[], object], *, apart: bool) -> None:
        method = getattr(task, "__self__", None) is not None and hasattr(task, "__func__")
        self._task: Callable[[], Callable[[], object] | None] | None = (
            weakref.WeakMethod(task) if method else lambda: task
        )
        self.period: float = period
        self.apart: bool = apart
        self.running: bool = False

    def stop(self) -> None:
        """Do not run again. What runs now runs to its end."""
        self._task = None

    def run(self) -> bool:
        """Run the task once, unless its last run is still going on; return whether it is to run again."""
        task = self._task and self._task()
        if task is None:
            return False
        if not self.running:
            self.running = True
            if self.apart:
                run_apart(lambda: self._run(task), _name(task))
            else:
                self._run(task)
        return True

    def _run(self, task: Callable[[], object]) -> None:
        try:
            task()
        except BaseException:
            logger.exception("%s failed; it runs again in %g s", _name(task), self.period)
        finally:
            self.running = False


class Heartbeat:
    """Runs beats in one daemon thread, which starts with the first beat and ends with the last.

    It never keeps the process alive, survives whatever a task raises, and starts anew in a forked child.
    """

    def __init__(self) -> None:
        self._beats: set[Beat] = set()
        self._thread: threading.Thread | None = None
        self._begin()
        restart_in_child(self)

    def every(self, period: float, task: Callable[[], object], *, apart: bool = False) -> Beat:
        """Run `task` every `period` seconds. A bound method does not keep its object alive.

        Args:
            period: seconds.
            task: what to run.
            apart: whether it may block, and so gets a thread of its own each time.
        """
        beat = Beat(period, task, apart=apart)
        with self._lock:
            self._beats.add(beat)
            self._schedule(beat)
        self._start()
        return beat

    def stop(self) -> None:
        """End the thread, for tests; the beats go on when another one is added."""
        with self._lock:
            (thread, self._thread), woken = (self._thread, None), self._woken
        if thread is not None:
            woken.put(None)
            if thread is not threading.current_thread():
                thread.join()

    @property
    def running(self) -> bool:
        """Whether there is a thread."""
        return self._thread is not None

    def _begin(self) -> None:
        self._lock = threading.RLock()  # re-entrant: a finalizer may add or stop a beat (H35)
        self._numbers = itertools.count()
        self._due: list[tuple[float, int, Beat]] = []
        self._thread = None
        self._woken: queue.SimpleQueue[None] = queue.SimpleQueue()

    def _after_fork(self) -> None:
        self._begin()
        for beat in self._beats:
            beat.running = False  # it runs in the parent, if anywhere
            self._schedule(beat)
        if self._beats:
            self._start()

    def _schedule(self, beat: Beat) -> None:
        heapq.heappush(self._due, (time.monotonic() + beat.period, next(self._numbers), beat))

    def _start(self) -> None:
        """Have a thread that knows of what is due now."""
        with self._lock:
            if self._thread is not None:
                self._woken.put(None)
                return
            # Made with the thread: gevent may have put its own kind of both in place since this module was imported.
            self._woken = queue.SimpleQueue()
            self._thread = thread = threading.Thread(target=self._run, name="poolware: heartbeat", daemon=True)
        try:
            start(thread)
        except RuntimeError as error:  # no threads here (WebAssembly), or the interpreter is about to end
            self._thread = None
            logger.warning("nothing periodic runs: %s", error)

    def _run(self) -> None:
        while (beat := self._next()) is not None:
            again = beat.run()
            with self._lock:
                if again:
                    self._schedule(beat)
                else:
                    self._beats.discard(beat)

    def _next(self) -> Beat | None:
        """Wait for the beat that is due first; None once there is none, or the thread is to end."""
        while True:
            with self._lock:
                if self._thread is not threading.current_thread():
                    return None
                if not self._due:
                    self._thread = None
                    return None
                wait = self._due[0][0] - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._due)[2]
                woken = self._woken
            with suppress(queue.Empty):
                woken.get(timeout=min(wait, threading.TIMEOUT_MAX))


def _name(task: Callable[[], object]) -> str:
    return getattr(task, "__qualname__", None) or repr(task)


heartbeat: Heartbeat = Heartbeat()
"""This process's."""
