"""ResourcePool: shares what is expensive and limited, among threads and event loops alike."""

from __future__ import annotations

import math
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from time import monotonic
from typing import Any, Generic, Literal, Self, TypeVar

from poolware._core.histogram import BATCH
from poolware._core.log import logger
from poolware._core.loops import current_loop
from poolware._core.options import not_negative_or_none, whole_number
from poolware._core.wakeups import ThreadWakeup, loop_wakeup
from poolware.errors import AlreadyReleased, ConfigurationError, ForeignObject
from poolware.pools.events import Source
from poolware.pools.figures import since
from poolware.pools.forks import restart_in_child
from poolware.pools.heartbeat import Beat, heartbeat
from poolware.pools.ledger import LeakDetection, Noted
from poolware.pools.resources import lending, upkeep
from poolware.pools.resources.closing import closing, draining
from poolware.pools.resources.creation import close, warming_up
from poolware.pools.resources.eviction import Eviction
from poolware.pools.resources.lease import AsyncResourceLease, ResourceLease
from poolware.pools.resources.settings import Settings
from poolware.pools.resources.stats import ResourcePoolStats, stats_of
from poolware.pools.resources.steps import Steps, adrive, drive
from poolware.pools.resources.stock import Stock
from poolware.pools.resources.waiting import Priority, rank_of

__all__ = ["ResourcePool"]

T = TypeVar("T")

_UNSET: Any = object()
_NORMAL = rank_of("normal")


class ResourcePool(Generic[T]):
    """Lends what is expensive and limited: connections, compressors, parsers, sessions, models.

    At most `max_size` exist. Who finds none free waits for the next, first come, first served. Threads and tasks on
    event loops (asyncio, trio) share one pool. Nothing is made before the first use.

        >>> import sqlite3
        >>> pool = ResourcePool(lambda: sqlite3.connect(":memory:", check_same_thread=False), max_size=4)
        >>> with pool.lease() as database:
        ...     database.execute("select 41 + 1").fetchone()
        (42,)
        >>> pool.close()

    Functions that take a resource may be sync or async. If one of them, or `factory`, is async, then resources belong
    to the event loop that asked for them, and `aacquire` is the way to get one. None of them is called while the pool
    is locked, and one that raises costs the pool no more than that resource.

    Times are seconds.

    Args:
        factory: makes a resource. Synchronous, it runs in a thread of its own.
        destroy: is given what the pool lets go of. By default its ``close()`` is called, if it has one.
        reset: is given what comes back, before anybody else gets it. None if nothing needs to be undone.
        validate: says whether a resource still works; false, or an exception, discards it.
        keepalive: is given what has rested for `keepalive_every`; an exception discards the resource.
        min_size: how many to have at the least, once the pool is in use; 2 by default, or `max_size` if that is less.
        max_size: how many may exist. Equal to `min_size`: the pool throttles whatever the resources are needed for.
        timeout: how long a caller waits at the most; None for ever.
        max_waiting: how many may wait; one more is turned away at once. None: any number.
        validate_on: when to validate: any of ``"acquire"``, ``"release"``, ``"idle"``.
        validate_after: a resource that was in use, or validated, less than this ago is lent without being validated.
        validate_timeout: how long `validate` and `keepalive` may take. What takes longer to be destroyed does not count
            for `max_size` any more.
        keepalive_every: how long a resource rests before `keepalive`.
        check_every: how often resting resources are looked after: evicted, validated, kept alive, replenished.
        check_batch: how many of them are validated or kept alive before a pause.
        idle_timeout: resources above `min_size` that nobody has used for so long are let go of; None: never.
        max_lifetime: how long a resource exists; up to a tenth less, at random, so that not all end at once. None: for
            as long as it works.
        eviction: what else lets go of a resting resource, above `min_size`.
        order: ``"lifo"`` lends what came back last, so that the others can be let go of; ``"fifo"`` takes turns.
        ageing: how much earlier somebody of a lower class must have come to be served first.
        reserved: resources that only that class, or a higher one, may use.
        max_backoff: how long to wait, at the most, after the factory has failed, before it is called again.
        hold_limit: how long a caller may keep a resource before that is logged. Nothing is taken away from anybody.
        leak_detection: of which acquisitions to note the stack: ``"off"``, ``"sampled"`` (1 in 128), ``"full"``.
        downstream_limit: how many of all processes together the other side allows; logged if it can be exceeded.
        processes: how many processes have such a pool: servers times workers; ``WEB_CONCURRENCY`` by default.
        name: shown in statistics, logs and errors; the factory's name by default.

    Raises:
        BadOption: an argument has a value that it does not take.
    """

    def __init__(
        self,
        factory: Callable[[], T | Awaitable[T]],
        *,
        destroy: Callable[[T], object] | None = close,
        reset: Callable[[T], object] | None = None,
        validate: Callable[[T], object] | None = None,
        keepalive: Callable[[T], object] | None = None,
        min_size: int | None = None,
        max_size: int = 10,
        timeout: float | None = 30.0,
        max_waiting: int | None = None,
        validate_on: Iterable[Literal["acquire", "release", "idle"]] = ("acquire", "idle"),
        validate_after: float = 0.5,
        validate_timeout: float | None = 5.0,
        keepalive_every: float = 60.0,
        check_every: float = 30.0,
        check_batch: int = 3,
        idle_timeout: float | None = 300.0,
        max_lifetime: float | None = 3600.0,
        eviction: Eviction | None = None,
        order: Literal["lifo", "fifo"] = "lifo",
        ageing: float = 1.0,
        reserved: Mapping[Priority, int] | None = None,
        max_backoff: float = 1.0,
        hold_limit: float | None = None,
        leak_detection: LeakDetection = "off",
        downstream_limit: int | None = None,
        processes: int | None = None,
        name: str | None = None,
    ) -> None:
        self._settings = Settings(
            factory,
            name=name,
            destroy=destroy,
            reset=reset,
            validate=validate,
            keepalive=keepalive,
            timeout=timeout,
            max_waiting=max_waiting,
            validate_on=validate_on,
            validate_after=validate_after,
            validate_timeout=validate_timeout,
            keepalive_every=keepalive_every,
            check_every=check_every,
            check_batch=check_batch,
            idle_timeout=idle_timeout,
            max_lifetime=max_lifetime,
            eviction=eviction,
            order=order,
            ageing=ageing,
            reserved=reserved,
            max_backoff=max_backoff,
            hold_limit=hold_limit,
            leak_detection=leak_detection,
        )
        min_size = self._settings.check_sizes(min_size, max_size)
        self.name: str = self._settings.name
        self.is_async: bool = self._settings.is_async
        """Whether resources belong to event loops."""
        self._events: Source = Source(self.name, self._look)
        self._stock = Stock(self._settings, min_size, max_size, self._events)
        self._inherited: list[Stock] = []
        self._popped: ResourcePoolStats | None = None
        self._beat: Beat | None = None
        self._warned = False
        self._check_limit(downstream_limit, processes)
        restart_in_child(self)

    # --- lending ------------------------------------------------------------------------------------------------------

    def acquire(self, timeout: float | None = _UNSET, priority: Priority = "normal") -> T:
        """Return a resource, for this thread to use until it is released.

        Args:
            timeout: seconds to wait at the most, 0 for not at all; the pool's own by default.
            priority: ``"critical"``, ``"high"``, ``"normal"`` or ``"low"``.

        Raises:
            PoolTimeout: none came free in time.
            TooManyWaiting: `max_waiting` others wait already.
            PoolClosed: the pool is closed.
            ConfigurationError: the resources belong to event loops.
        """
        stock, now = self._stock, monotonic()
        with stock.lock:  # the short way: what `_take` does, in a third of the time
            quick = stock.quick
            if quick and now < (record := quick[-1]).expires and now - record.checked < stock.trusted_for:
                quick.pop()
                record.since = now
                obj: T = record.obj
                stock.lent[id(obj)] = record
                if len(stock.lent) > stock.peak:  # noqa: PLR1730 - a third of the cost of max()
                    stock.peak = len(stock.lent)
                return obj
        if self.is_async:
            msg = f"pool {self.name!r}: its resources belong to event loops; use `await pool.aacquire()`"
            raise ConfigurationError(msg)
        taken: T = self._take(None)
        if taken is _UNSET and current_loop() is not None:
            self._warn_of_blocking()
        return drive(self._acquiring(ThreadWakeup, timeout, priority)) if taken is _UNSET else taken

    async def aacquire(self, timeout: float | None = _UNSET, priority: Priority = "normal") -> T:
        """Return a resource, for this task to use until it is released. As `acquire`, without blocking the loop."""
        taken: T = self._take(current_loop() if self.is_async else None)
        return await adrive(self._acquiring(loop_wakeup, timeout, priority)) if taken is _UNSET else taken

    def release(self, resource: T, *, failed: bool = False) -> None:
        """Give `resource` back; from any thread, never waits for anybody.

        Async hooks run in the background on the resource's loop.

        Args:
            resource: what `acquire` or `aacquire` returned.
            failed: whether something went wrong while it was in use: it is validated then, or discarded.

        Raises:
            AlreadyReleased: it has come back before.
            ForeignObject: it is not from here.
        """
        stock, now = self._stock, monotonic()
        with stock.lock:
            record = stock.lent.pop(id(resource), None)
            if record is not None:
                held = stock.held
                held.append(now - record.since)
                if len(held) >= BATCH:
                    stock.hold.fold()
                if stock.as_it_is and now < record.expires and not failed:
                    record.since = record.checked = now
                    stock.idle.append(record)
                    return
        if record is not None:
            lending.take_back(stock, record, failed=failed)
        elif not any(id(resource) in inherited.records for inherited in self._inherited):  # of the parent process
            self._refuse(resource)

    def discard(self, resource: T) -> None:
        """Give `resource` back for good: it is destroyed, and another one made when one is wanted.

        Raises:
            AlreadyReleased, ForeignObject: as `release`.
        """
        with self._stock.lock:
            record = self._stock.lent.get(id(resource))
            if record is not None:
                record.end, record.expires = "discarded", -math.inf
        self.release(resource)

    def lease(self, timeout: float | None = _UNSET, priority: Priority = "normal") -> ResourceLease[T]:
        """Return a block that acquires a resource, and releases it however the block is left."""
        return ResourceLease(self, timeout, priority)

    def alease(self, timeout: float | None = _UNSET, priority: Priority = "normal") -> AsyncResourceLease[T]:
        """Return an async block that acquires a resource, and releases it however the block is left."""
        return AsyncResourceLease(self, timeout, priority)

    # --- the pool as a whole ------------------------------------------------------------------------------------------

    def resize(self, *, min_size: int | None = None, max_size: int | None = None) -> None:
        """Change the bounds. What exceeds a lower `max_size` is let go of as it comes to rest.

        Raises:
            BadOption: a bound is no size, or they contradict each other.
        """
        stock = self._stock
        with stock.lock:
            lower = stock.min_size if min_size is None else min_size
            upper = stock.max_size if max_size is None else max_size
            self._settings.check_sizes(lower, upper)
            stock.min_size, stock.max_size = lower, upper
            surplus = [stock.idle.popleft() for _ in range(min(len(stock.idle), stock.excess()))]
            stock.look()
        self._events.tell("resize", size=upper)
        if surplus:
            self._events.tell("shrink", size=len(surplus))
        stock.discard(surplus, "resized")
        if self._beat is not None:
            stock.settle()

    def clear(self) -> None:
        """Let go of every resting resource now, and of those in use when they come back."""
        stock = self._stock
        with stock.lock:
            resting = stock.take_idle()
            for record in tuple(stock.records.values()):
                record.end, record.expires = "cleared", -math.inf
        self._events.tell("clear", size=len(resting))
        stock.discard(resting, "cleared")

    def drain(self, timeout: float | None = _UNSET) -> None:
        """Lend nothing any more, and wait until everything in use has come back.

        Args:
            timeout: seconds to wait at the most; the pool's own by default.

        Raises:
            PoolTimeout: something was still in use. The pool lends nothing all the same.
        """
        drive(draining(self._stock, ThreadWakeup(), self._limit(timeout)))

    async def adrain(self, timeout: float | None = _UNSET) -> None:
        """As `drain`, without blocking the loop."""
        await adrive(draining(self._stock, loop_wakeup(), self._limit(timeout)))

    def close(self, timeout: float | None = _UNSET) -> None:
        """Lend nothing any more, wait for what is in use, and let go of everything.

        What is still in use after `timeout` seconds is let go of when it comes back. A second call does nothing.
        """
        drive(self._closing(ThreadWakeup(), timeout))

    async def aclose(self, timeout: float | None = _UNSET) -> None:
        """As `close`, without blocking the loop."""
        await adrive(self._closing(loop_wakeup(), timeout))

    def wait_ready(self, timeout: float | None = _UNSET) -> None:
        """Make `min_size` resources, and wait until they are there.

        Raises:
            PoolTimeout: they were not there after `timeout` seconds; says why.
            ConfigurationError: the resources belong to event loops.
        """
        if self.is_async:
            msg = f"pool {self.name!r}: its resources belong to event loops; use `await pool.await_ready()`"
            raise ConfigurationError(msg)
        self._begin()
        drive(warming_up(self._stock, ThreadWakeup, self._limit(timeout)))

    async def await_ready(self, timeout: float | None = _UNSET) -> None:
        """As `wait_ready`, without blocking the loop."""
        self._begin()
        await adrive(warming_up(self._stock, loop_wakeup, self._limit(timeout)))

    def get_stats(self) -> ResourcePoolStats:
        """Return what the pool has done and holds, at one moment."""
        return stats_of(self._stock)

    def pop_stats(self) -> ResourcePoolStats:
        """Return the same, with counts, times and peak of what has happened since the last call, or the beginning.

        What all calls return adds up to what `get_stats` says.
        """
        stock = self._stock
        with stock.lock:
            now = self.get_stats()
            period = since(now, self._popped, wait=stock.wait.times(), hold=stock.hold.times(), peak_in_use=stock.peak)
            self._popped = now
            waited, held, peak = stock.before
            stock.before = waited + stock.wait.pop(), held + stock.hold.pop(), max(peak, stock.peak)
            stock.peak = len(stock.lent)
            return period

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        with self._stock.lock:
            return f"<ResourcePool {self.name!r}: {self._stock.figures()}>"

    # --- the ways that take longer ------------------------------------------------------------------------------------

    def _take(self, loop: Any) -> Any:
        """Return what can be lent without another look; `_UNSET` if nothing can."""
        stock, now = self._stock, monotonic()
        with stock.lock:
            record = stock.next_for(loop) if stock.unhindered else None
            if record is not None and now < record.expires and now - record.checked < stock.trusted_for:
                return stock.hand_out(stock.lend(record, _NORMAL, now))
        return _UNSET

    def _acquiring(self, wakeup: Callable[[], Any], timeout: float | None, priority: Priority) -> Steps[Any]:
        limit, rank = self._limit(timeout), rank_of(priority)
        self._begin()
        return lending.acquiring(self._stock, wakeup, limit, rank)

    def _warn_of_blocking(self) -> None:
        if not self._warned:
            self._warned = True
            logger.warning("pool %r: acquire() may block the event loop; use `await pool.aacquire()` there", self.name)

    def _begin(self) -> None:
        """Have the heartbeat look after the pool, from its first use on."""
        with self._stock.lock:
            if self._beat is None:
                self._beat = heartbeat.every(self._settings.looked_after_every, self._look_after)

    def _look(self) -> None:
        """Open the short ways, or close them while somebody is to be told."""
        with self._stock.lock:
            self._stock.look()

    def _look_after(self) -> None:
        upkeep.look_after(self._stock)

    def _refuse(self, resource: T) -> None:
        stock = self._stock
        with stock.lock:
            stock.counts["refused"] += 1
            known = id(resource) in stock.records
        if known:
            msg = f"pool {self.name!r}: this resource has already been released; once is enough, or use pool.lease()"
            raise AlreadyReleased(msg)
        msg = f"pool {self.name!r}: this resource is not from here, or was let go of; release it where it was acquired"
        raise ForeignObject(msg)

    def _closing(self, wakeup: Any, timeout: float | None) -> Steps[None]:
        limit = self._limit(timeout)
        if self._beat is not None:
            self._beat.stop()
        return closing(self._stock, wakeup, limit)

    def _limit(self, timeout: float | None) -> float | None:
        return self._settings.timeout if timeout is _UNSET else not_negative_or_none("timeout", timeout)

    def _check_limit(self, limit: int | None, processes: int | None) -> None:
        """Say at once if all processes together can ask for more than the other side allows."""
        workers = os.environ.get("WEB_CONCURRENCY", "")
        given = max(int(workers), 1) if workers.isdecimal() else 1
        count = given if processes is None else whole_number("processes", processes, at_least=1)
        total = count * self._stock.max_size
        if limit is not None and total > whole_number("downstream_limit", limit, at_least=1):
            logger.warning(
                "pool %r: max_size=%d in %d processes can make %d, and downstream_limit=%d; max_size=%d would fit",
                self.name,
                self._stock.max_size,
                count,
                total,
                limit,
                limit // count,
            )

    def _noted(self) -> list[Noted]:
        """Return what is in use and was noted."""
        with self._stock.lock:
            lent = tuple(self._stock.lent.values())
            return [Noted(one.obj, one.since, one.stack, (one,)) for one in lent if one.stack and one.waiter is None]

    def _after_fork(self) -> None:
        """Begin anew in the child. What the parent has stays untouched: closing it here would close it there (H26)."""
        parents = self._stock
        self._inherited.append(parents)
        self._stock = Stock(self._settings, parents.min_size, parents.max_size, self._events)
        self._stock.open = parents.open
        self._events.restart()
        self._stock.look()
        self._popped = None
        if self._beat is not None:
            self._beat.stop()
            self._beat = None
