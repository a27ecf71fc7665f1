"""Looking at the pools of a process from time to time, and passing on what was seen."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypedDict

from poolware._core.log import logger
from poolware._core.options import positive
from poolware.observe.alerts import Alerts
from poolware.observe.history import History
from poolware.observe.shared import Share
from poolware.observe.snapshot import PoolSnapshot, take
from poolware.pools.forks import restart_in_child
from poolware.pools.heartbeat import Beat, heartbeat

if TYPE_CHECKING:
    from typing import Unpack

__all__ = ["Exporter", "Watch", "WatchOptions", "current", "start", "stop"]

Exporter = Callable[[Sequence[PoolSnapshot]], object]
"""Passes on what was seen of every pool of this process, such as `poolware.observe.prometheus.exporter()`."""

_PATIENCE = 2.0
"""Seconds to wait at the end for a look that is going on."""


class WatchOptions(TypedDict, total=False):
    """The keywords that `Watch` and `start` take."""

    every: float
    alerts: Alerts | None
    share: Share | None
    exporters: Iterable[Exporter]
    history: float


class Watch:
    """Looks at every pool of this process every so often, for as long as somebody keeps it.

    In a forked child it goes on with the child's own pools.

    Args:
        every: seconds between two looks.
        alerts: what is watched, if anything.
        share: where to publish what was seen, for the other processes of this machine, if anywhere.
        exporters: what else to give it to.
        history: how many seconds of the past to publish.

    Raises:
        BadOption: an argument has a value that it does not take.
    """

    def __init__(
        self,
        *,
        every: float = 2.0,
        alerts: Alerts | None = None,
        share: Share | None = None,
        exporters: Iterable[Exporter] = (),
        history: float = 300.0,
    ) -> None:
        self.every: float = positive("every", every)
        self.alerts = alerts
        self.share = share
        self.exporters: tuple[Exporter, ...] = tuple(exporters)
        self.latest: Sequence[PoolSnapshot] = ()
        """What was seen last."""
        self._history = History(history)
        self._failing: list[Exporter] = []
        self._looking = threading.RLock()
        restart_in_child(self)
        with self._looking:  # the first beat may come at once
            # What it does may block: a user's reset, an exporter, a full disk. Evictions must not wait for that.
            self._beat: Beat | None = heartbeat.every(self.every, self._beats, apart=True)

    def look(self) -> None:
        """Look now. What fails is logged, and keeps nothing else from being done."""
        with self._looking:
            self.latest = seen = take()
            for step in (self._evaluate, self._publish, *self.exporters):
                self._try(step, seen)

    def stop(self) -> None:
        """Look a last time, then never again, and take back what was published. A second call does nothing."""
        beat, self._beat = self._beat, None
        if beat is None:
            return
        beat.stop()
        if self._looking.acquire(timeout=_PATIENCE):
            try:
                self.look()
            finally:
                self._looking.release()
        else:
            logger.warning("the pools were not looked at a last time: the look before has not ended")
        if self.share is not None:
            self.share.withdraw()

    def _beats(self) -> None:
        with self._looking:
            if self._beat is not None:  # stopped meanwhile
                self.look()

    def _try(self, step: Exporter, seen: Sequence[PoolSnapshot]) -> None:
        try:
            step(seen)
        except Exception:
            if step not in self._failing:  # a full disk is not news every two seconds
                logger.exception("%s failed; it is tried again every %g s", step, self.every)
                self._failing.append(step)
        else:
            if step in self._failing:
                self._failing.remove(step)

    def _evaluate(self, seen: Sequence[PoolSnapshot]) -> None:
        if self.alerts is not None:
            self.alerts.evaluate(time.monotonic(), seen)

    def _publish(self, seen: Sequence[PoolSnapshot]) -> None:
        now = time.time()
        self._history.add(now, seen)
        if self.share is not None:
            firing = self.alerts.firing if self.alerts is not None else []
            self.share.publish(
                {
                    "time": now,
                    "every": self.every,
                    "pools": [snapshot.as_dict() for snapshot in seen],
                    "alerts": [alert.as_dict() for alert in firing],
                    "history": self._history.as_dict(),
                }
            )

    def _after_fork(self) -> None:
        self._looking = threading.RLock()
        self._history.clear()
        self.latest = ()
        if self.alerts is not None:
            self.alerts.clear()


_running: Watch | None = None


def start(**options: Unpack[WatchOptions]) -> Watch:
    """Watch the pools of this process until it ends; the options are those of `Watch`.

    Called again, it replaces the watch before.
    """
    global _running  # noqa: PLW0603 - one for a process, as the heartbeat is
    stop()
    _running = Watch(**options)
    return _running


def stop() -> None:
    """End what `start` began: look a last time, and take back what was published."""
    global _running
    watch, _running = _running, None
    if watch is not None:
        watch.stop()


def current() -> Watch | None:
    """Return the watch that `start` began, if it goes on."""
    return _running


atexit.register(stop)
