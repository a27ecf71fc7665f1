"""ObjectPool: reuses objects and never waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from poolware._core.detour import Detour
from poolware._core.log import logger
from poolware._core.mode import Mode
from poolware._core.options import callable_or_none, whole_number
from poolware._core.plan import Plan
from poolware._core.proof import LENT_SOLE, REUSE_REFUSED, SOLE, getrefcount
from poolware._core.tally import new_tally
from poolware.errors import AlreadyReleased, BadOption, ConfigurationError, ForeignObject
from poolware.pools.announce import announced_mode, warn_of_closable
from poolware.pools.debugging import DebugContextKind, DebugPlainKind
from poolware.pools.events import Source
from poolware.pools.figures import since
from poolware.pools.forks import restart_in_child
from poolware.pools.hooks import Hooks
from poolware.pools.kinds import ContextKind, Kind, PlainKind
from poolware.pools.lease import Lease
from poolware.pools.ledger import LeakDetection, Ledger, Noted
from poolware.pools.object_stats import PoolStats
from poolware.pools.quarantine import Quarantine
from poolware.pools.stores import Store, StoreName, new_store
from poolware.pools.tending.growth import Growth, when_empty
from poolware.pools.tending.sizes import DynamicSizing
from poolware.pools.tending.tended import Counts
from poolware.pools.tending.tending import Tending

__all__ = ["ObjectPool"]

T = TypeVar("T")

_UNSET: Any = object()
_LOOKS = 8
"""How many quarantined objects a call that finds the pool empty looks at: a bound on its time."""
_LOOK_FOR_LEAKS_S = 30.0
_TALLIES = (
    "acquired",
    "misses",
    "created",
    "dropped",
    "escaped",
    "exhausted",
    "expired",
    "lost",
    "refused",
    "reset_errors",
    "validation_failures",
)


class ObjectPool(Generic[T]):
    """Keeps released objects for reuse. Thread-safe, holds no lock on the way of an acquisition or release.

    `factory` is a context class, which brings its own reset, or any function that builds an object. ``acquire`` never
    waits: empty means build one, full means drop one.

        >>> pool = ObjectPool(dict, reset=dict.clear)
        >>> with pool.lease() as scratch:
        ...     scratch["answer"] = 42

    Args:
        factory: a context class, or a function without arguments.
        reset: called with each released object; must make it as good as new. None says, on your word, that an object
            keeps nothing from one use to the next. Not taken for context classes.
        validate: called with each object before it is reused; a false answer, or an exception, discards it.
        max_idle: how many objects the pool keeps at the most. More can be in use; those are dropped afterwards. Threads
            that enter the pool in the same moment may keep one more each until that is noticed.
        max_quarantine: how many released objects that somebody still holds are watched for coming back.
        prewarm: how many objects to build at once, and what `idle_timeout` leaves.
        growth: when to build ahead, on the heartbeat, so that no acquisition pays for it: `Watermark`, `LeaseRate`, or
            an object of your own. Never more than `max_idle`.
        sizing: how `max_idle` follows the use; the number given as `max_idle` is its upper bound.
        idle_timeout: seconds after which the pool lets go of as many resting objects as nobody has needed meanwhile.
        store: where objects rest. ``stack`` uses the last one first, ``fifo`` the one that has rested longest;
            ``thread`` has a cache for each thread, ``sharded`` sixteen stacks, ``gc_victims`` drops what was not used
            from one full garbage collection to the next but one. Or a function that makes a `Store`.
        leak_detection: of which acquisitions to note time and stack: ``"off"``, ``"sampled"`` (1 in 128), ``"full"``.
            With `off`, acquisitions and releases do nothing for it.
        hold_limit: seconds for which an object may be in use before that is logged, if it was noted. Nothing is taken
            away from anybody.
        name: shown in statistics, logs and errors; the factory's name by default.

    Raises:
        BadOption: an argument has a value that it does not take.
    """

    if TYPE_CHECKING:  # functions that each pool has of its own; pyright takes a Callable attribute for no method

        def acquire(self) -> T:
            """Return an object that nobody else holds, reset. Raises only what `factory` raises."""

        def release(self, obj: T, /) -> None:
            """Give `obj` back. Raises `AlreadyReleased` the second time, `ForeignObject` for what is not from here."""

    def __init__(
        self,
        factory: Callable[[], T],
        *,
        reset: Callable[[T], object] | None = _UNSET,
        validate: Callable[[T], object] | None = None,
        max_idle: int = 1024,
        max_quarantine: int = 256,
        prewarm: int = 0,
        growth: Growth = when_empty,
        sizing: DynamicSizing | None = None,
        idle_timeout: float | None = None,
        store: StoreName | Callable[[], Store] = "stack",
        leak_detection: LeakDetection = "off",
        hold_limit: float | None = None,
        name: str | None = None,
        _home: object = None,
    ) -> None:
        if not callable(factory):
            msg = f"ObjectPool({factory!r}): the factory must be a context class or a function without arguments"
            raise BadOption(msg)
        self.name: str = name or str(getattr(factory, "__qualname__", type(factory).__name__))
        self.max_idle: int = whole_number("max_idle", max_idle)
        whole_number("prewarm", prewarm)
        callable_or_none("validate", validate)
        tending = Tending(growth, sizing, idle_timeout)
        idle = new_store(store)
        self._mode = announced_mode()
        self._reuse = self._mode is Mode.ON and REUSE_REFUSED is None
        self._watch = self._mode is not Mode.OFF and REUSE_REFUSED is None
        self._tallies = {name: new_tally() for name in _TALLIES}
        self._before_fork = dict.fromkeys(_TALLIES, 0)
        self._hooks = Hooks(self.name, self._tallies)
        self._lock = threading.RLock()  # a finalizer that runs inside may come back into this pool (H35)
        self._surplus: dict[int, T] = {}
        self._inherited: dict[int, T] = {}
        self._look_for_lost_at = 64
        self._peaks = [0, 0]  # ever, and since the last pop
        self._popped: PoolStats | None = None
        self._popping = threading.RLock()  # of its own: looking may call a reset
        self._unseen = True
        # In debug mode everything passes through it, held or not.
        limit = max(whole_number("max_quarantine", max_quarantine), 256 if self._mode is Mode.DEBUG else 0)
        self._quarantine: Quarantine[T] = Quarantine(limit, self._free, self._escape)
        self._kind = self._kind_of(factory, reset, validate, _home, idle)
        self._idle = self._kind.idle
        self._kind.generate(self._names(validate))
        self.acquire, self.release = self._kind.cycle.acquire, self._kind.cycle.release  # type: ignore[method-assign]
        self._take: Callable[[], T] = self.acquire  # without being watched
        self._detour: Detour | None = None
        self._events: Source = Source(self.name, self._rewire)
        self._ledger: Ledger = Ledger(self.name, leak_detection, hold_limit, self._events)
        self._rewire()
        restart_in_child(self)
        self.prewarm(prewarm)
        self._tending = tending
        if self._reuse:
            tending.begin(self, prewarm=prewarm, max_idle=max_idle)
        if leak_detection != "off":
            tending.every(min(_LOOK_FOR_LEAKS_S, hold_limit or _LOOK_FOR_LEAKS_S), self._look_for_leaks)

    def lease(self) -> Lease[T]:
        """Return a context manager that acquires an object and releases it at the end of the block."""
        return Lease(self)

    def prewarm(self, count: int) -> None:
        """Build until `count` objects rest in the pool, `max_idle` at the most. Does nothing where reuse is off."""
        self._build_ahead(whole_number("count", count) - len(self._idle))

    def resize(self, max_idle: int) -> None:
        """Keep `max_idle` objects at the most from now on. Surplus is dropped now, or when it comes back."""
        self.max_idle = whole_number("max_idle", max_idle)
        self._events.tell("resize", size=max_idle)
        for obj in self._kind.holdings() if self._reuse else ():
            if len(self._kind.lent) <= max_idle:
                break
            self._surplus[id(obj)] = obj  # first: it is known all the time
            if not self._kind.unlend(obj):
                self._surplus.pop(id(obj), None)
        self._trim()

    def clear(self) -> None:
        """Let go of every resting object. What is in use or quarantined is kept when it comes back."""
        gone = 0
        for _ in range(len(self._idle)):
            with suppress(IndexError):  # another thread was faster
                self._idle.pop()
                gone += 1
        self._events.tell("clear", size=gone)

    def close(self) -> None:
        """Let go of every resting object, and of the others when they come back. Later acquisitions are not pooled."""
        self._tending.stop()
        self.resize(0)

    def get_stats(self) -> PoolStats:
        """Return what the pool has done and holds, after looking at all of its quarantine."""
        self._quarantine.sweep(len(self._quarantine))
        self._take_back_lost()
        self._trim()
        count = {name: tally.value - self._before_fork[name] for name, tally in self._tallies.items()}
        idle, quarantined = len(self._idle), len(self._quarantine)
        in_use = self._in_use()
        self._peaks = [max(peak, in_use) for peak in self._peaks]
        return PoolStats(
            name=self.name,
            idle=idle,
            in_use=in_use,
            peak_in_use=self._peaks[0],
            hold=self._ledger.times(),
            held_too_long=self._ledger.held_too_long,
            quarantined=quarantined,
            released=count["acquired"] - in_use - count["lost"],
            hits=count["acquired"] - count["misses"],
            destroyed=count["created"] - idle - in_use - quarantined,
            local_hits=getattr(self._idle, "local_hits", 0),
            **count,
        )

    def pop_stats(self) -> PoolStats:
        """Return the same, with counts, times and peak of what has happened since the last call, or the beginning.

        What all calls return adds up to what `get_stats` says.
        """
        with self._popping:
            now = self.get_stats()
            period = since(now, self._popped, hold=self._ledger.pop(), peak_in_use=self._peaks[1])
            self._popped = now
            self._peaks[1] = now.in_use
            return period

    def __repr__(self) -> str:
        idle, held = len(self._idle), len(self._quarantine)
        return f"<ObjectPool {self.name!r}: {idle} idle, {self._in_use()} in use, {held} quarantined>"

    # --- set-up -------------------------------------------------------------------------------------------------------

    def _kind_of(self, factory: Any, reset: Any, validate: object, home: object, idle: Any) -> Kind:
        plan = getattr(factory, "__poolware_plan__", _UNSET)
        if plan is None:
            msg = f"ObjectPool({self.name}): a mixin, or Context itself; derive the class of your contexts from it"
            raise BadOption(msg)
        if isinstance(plan, Plan):
            if reset is not _UNSET or validate is not None:
                msg = f"ObjectPool({self.name}): a context class brings its own reset; leave out reset= and validate="
                raise BadOption(msg)
            kind = DebugContextKind if self._mode is Mode.DEBUG else ContextKind
            # Where the compiled cycle has a stack of its own.
            return kind(plan, self if home is None else home, None if type(idle) is list else idle)
        if reset is _UNSET:
            msg = (
                f"ObjectPool({self.name}): reset= is missing. Pass a function that makes a used object as good as new, "
                "or reset=None if your objects keep nothing from one use to the next"
            )
            raise ConfigurationError(msg)
        callable_or_none("reset", reset)
        plain = DebugPlainKind if self._mode is Mode.DEBUG else PlainKind
        return plain(factory, self._hooks.restoring(reset) if reset else None, idle)

    def _names(self, validate: Callable[[T], object] | None) -> dict[str, Any]:
        debug = self._mode is Mode.DEBUG
        return {
            "drop": self._retire if debug else None if self._reuse else self._drop,
            "SOLE": -1 if debug else SOLE,  # in debug mode every object counts as held, and so gets sealed
            "acquired": self._tallies["acquired"],
            "build": self._build,
            "doubt": self._doubt,
            "refuse": self._refuse,
            "retire": self._retire,
            "keep": self._hooks.keep_part,
            "spoilt": self._spoilt,
            "valid": self._hooks.validating(validate) if validate else None,
        }

    # --- off the hot path ---------------------------------------------------------------------------------------------

    def _build(self) -> T:
        """Serve an acquisition that found nothing resting."""
        if self._quarantine.sweep(_LOOKS) and self._reuse:
            return self._take()
        if self._in_use() >= self._look_for_lost_at:
            self._take_back_lost()
            self._look_for_lost_at = max(64, 2 * self._in_use())
        obj = self._construct()
        with self._lock:
            if self._kind.lends(obj) or id(obj) in self._surplus or obj in self._quarantine:
                msg = f"pool {self.name!r}: the factory returned an object that is in use; it must build a new one"
                raise ConfigurationError(msg)
            if not self._reuse or self._has_room():
                self._kind.lend(obj)
            else:
                self._surplus[id(obj)] = obj
                self._tallies["exhausted"].tick()
                self._events.tell("exhaust", obj)
            self._peaks = [max(peak, self._in_use()) for peak in self._peaks]
        self._tallies["misses"].tick()  # first: whoever looks meanwhile must not see a hit that is none
        self._tallies["acquired"].tick()
        return obj

    def _construct(self) -> T:
        begun = time.monotonic()
        obj: T = self._kind.build()
        self._tallies["created"].tick()
        self._events.tell("create", obj, duration=time.monotonic() - begun)
        if self._unseen:
            self._unseen = False
            warn_of_closable(self.name, obj)
        return obj

    def _in_use(self) -> int:
        return len(self._kind.lent) + len(self._surplus)

    def _in_use_now(self) -> list[T]:
        return [*self._kind.holdings(), *list(self._surplus.values())]

    def _has_room(self) -> bool:
        """Whether one more object is to be kept, counting those in use, which will come back to rest."""
        return len(self._idle) + len(self._kind.lent) < self.max_idle

    def _trim(self) -> None:
        """Drop what is too much: threads in the middle of something at the same moment kept it, or a resize left it."""
        gone = 0
        while len(self._idle) > max(0, self.max_idle - len(self._kind.lent)):
            with suppress(IndexError):  # another thread was faster
                self._drop(self._idle.pop())
                gone += 1
        if gone:
            self._events.tell("shrink", size=gone)

    def _counts(self) -> Counts:
        return Counts(len(self._idle), self._in_use(), self._tallies["acquired"].value, self._tallies["dropped"].value)

    def _build_ahead(self, count: int) -> None:
        """Make `count` more rest: what nobody holds any more first, then new ones; none over `max_idle`."""
        if not self._reuse:
            return
        built = 0
        for _ in range(count - self._quarantine.sweep(len(self._quarantine))):
            if not self._has_room():
                break
            obj = self._construct()
            if not self._kind.unseal(obj):
                break
            if not self._keep(obj):
                self._drop(obj)
            built += 1
        if built:
            self._events.tell("grow", size=built)

    def _let_go(self, count: int) -> None:
        """Drop `count` resting objects."""
        before = self._tallies["expired"].value
        for _ in range(count):
            with suppress(IndexError):  # another thread was faster
                self._idle.pop()
                self._tallies["expired"].tick()
        self._events.tell("evict", size=self._tallies["expired"].value - before)

    def _drop(self, obj: T) -> None:
        self._tallies["dropped"].tick()
        self._events.tell("drop", obj)

    def _escape(self) -> None:
        self._tallies["escaped"].tick()
        self._events.tell("escape")

    def _doubt(self, obj: T) -> None:
        """Set aside what was resting and turned out to be held, or dirty."""
        self._kind.seal(obj)
        self._quarantine.add(obj)

    def _free(self, obj: T) -> None:
        """Nobody holds `obj` any more: make it rest."""
        if not self._reuse or (self._kind.unseal(obj) and not self._keep(obj)):
            self._drop(obj)

    def _keep(self, obj: T) -> bool:
        """Make `obj`, which is as good as new, rest if there is room."""
        with self._lock:
            room = self._has_room()
            if room:
                self._idle.append(obj)
        return room

    def _retire(self, obj: T) -> None:
        """End the use of an object that somebody besides the caller still holds, or that is not to be reused."""
        as_new = True
        try:
            as_new = self._kind.finish(obj)
        finally:
            if as_new and self._watch:
                self._quarantine.add(obj)
            elif as_new:
                self._drop(obj)

    def _spoilt(self, obj: T, error: BaseException) -> bool:
        """End a context whose reset raised, because a field was deleted or a hook interrupted; whether to raise on."""
        self._retire(obj)
        if isinstance(error, Exception):
            # As text: the error itself, and whatever keeps it, would hold the context.
            logger.error("pool %r: a reset failed and was done again field by field: %s", self.name, repr(error))
            self._tallies["reset_errors"].tick()
            return False
        return True

    def _refuse(self, obj: T) -> None:
        """Handle the release of what is not lent: surplus, from before a fork, or a mistake."""
        for lent in (self._surplus, self._inherited):
            if lent.get(id(obj), _UNSET) is obj and lent.pop(id(obj), _UNSET) is obj:
                if lent is self._surplus and self._ledger.wanted:
                    self._ledger.given(obj)
                self._kind.finish(obj)
                self._drop(obj)
                return
        self._tallies["refused"].tick()
        if obj in self._quarantine or any(resting is obj for resting in tuple(self._idle)):
            msg = f"pool {self.name!r}: this object has already been released; once is enough, or use pool.lease()"
            raise AlreadyReleased(msg)
        what = f"pool {self.name!r}: {type(obj).__name__} object is not in use here"
        msg = f"{what}: it is another pool's, or was dropped; release it where it was acquired"
        raise ForeignObject(msg)

    def _take_back_lost(self) -> None:
        """Release what nobody holds any more although it was never released."""
        if REUSE_REFUSED is not None:
            return
        # One that its user releases meanwhile counts the same, but is lent no more, and cannot be lent again while
        # `known` holds it.
        known = self._in_use_now()
        lost = [
            obj
            for obj in known
            if getrefcount(obj) == LENT_SOLE and (self._kind.lends(obj) or id(obj) in self._surplus)
        ]
        del known
        while lost:
            self._tallies["lost"].tick()
            self._ledger.lost(lost[-1], self._kind.tell)
            self.release(lost.pop())

    def _rewire(self) -> None:
        """Take the detour around the hot path while somebody watches, and only then."""
        if self._detour is None and self._ledger.wanted:
            self._detour = self._kind.detour(self._ledger.taken, self._ledger.given)
            self._take = self._detour.take
        if self._detour is not None:
            self._detour.switch(self._ledger.wanted)
        if not self._ledger.wanted:
            self._ledger.forget()

    def _look_for_leaks(self) -> None:
        self._take_back_lost()
        in_use = {id(obj): obj for obj in self._in_use_now()}
        self._ledger.report(lambda key: self._kind.tell(in_use[key]) if key in in_use else "an object")

    def _noted(self) -> list[Noted]:
        """Return what is in use and was noted."""
        notes = self._ledger.notes()
        found = ((obj, notes[id(obj)]) for obj in self._in_use_now() if id(obj) in notes)
        keepers = (self._kind.lent, self._surplus)
        return [Noted(obj, note.since, note.stack, keepers) for obj, note in found if note.stack]

    def _after_fork(self) -> None:
        self._lock = threading.RLock()
        self._ledger.restart()
        # Kept, also what was resting: its finalizer belongs to the parent, which still uses the same file or socket.
        known = (*self._kind.holdings(), *self._surplus.values(), *self._idle)
        self._inherited.update({id(obj): obj for obj in known})
        for store in (self._idle, self._kind.lent, self._surplus, self._quarantine):
            store.clear()
        self._before_fork = {name: tally.value for name, tally in self._tallies.items()}
        self._peaks, self._popped, self._popping = [0, 0], None, threading.RLock()
