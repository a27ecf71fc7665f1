"""Object pools under hypothesis: contexts and plain objects, held, dropped, released twice, failing, re-entered."""

from __future__ import annotations

import contextlib
import gc
from typing import Any, get_args

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from poolware import ContextReleased, ForeignObject, ObjectPool, PoolStats, ReleaseError
from poolware.pools.stores import StoreName

from .machine import LastWords, Machine, check_pool, step
from .samples import PARTS, TROUBLE, ChaosContext, Fault, Interrupt, Tool, content, differences, write_into

PLACES = ("nothing", "itself", "user", "params", "mark", "roles", "basket")
INSIDE = ("use", "keep", "look", "clear", "collect", "give back", "prewarm")
HOW = ("at once", "from a variable", "kept")
some = st.integers(0, 9)


class ObjectPoolMachine(Machine):
    """The model: who has what. Nobody's object is anybody else's, and each comes as new."""

    @initialize(
        contexts=st.booleans(),
        max_idle=st.sampled_from([0, 1, 2, 5, 50]),
        max_quarantine=st.sampled_from([0, 1, 3, 50]),
        prewarm=st.integers(0, 3),
        store=st.sampled_from(get_args(StoreName)),
    )
    def build(self, contexts: bool, max_idle: int, max_quarantine: int, prewarm: int, store: str) -> None:
        self.contexts, self.max_idle = contexts, max_idle
        options: Any = {"max_idle": max_idle, "max_quarantine": max_quarantine, "prewarm": prewarm, "store": store}
        self.make: Any = ChaosContext if contexts else Tool
        hooks: Any = {} if contexts else {"reset": Tool.reset, "validate": Tool.valid}
        self.pool: ObjectPool[Any] = ObjectPool(self.make, **options, **hooks)
        self.new, self.elsewhere = self.make(), ObjectPool(self.make, **hooks)
        self.foreign = [None, [], 17, self.new, self.elsewhere.acquire()]
        self.lent: list[Any] = []
        self.stamps: dict[int, int] = {}
        self.kept: list[Any] = []
        self.parts: list[tuple[Any, Any]] = []
        self.orphans: list[Any] = []
        self.acquired = self.released = self.refused = self.lost = 0

    # --- acquiring ----------------------------------------------------------------------------------------------------

    @step(count=st.integers(1, 3), place=st.sampled_from(PLACES), inside=st.sampled_from(INSIDE))
    def acquire(self, count: int, place: str, inside: str) -> None:
        for _ in range(count):
            obj = self.arrive()
            if obj is not None:
                self.write(obj, place, inside)
                self.lent.append(obj)

    def arrive(self) -> Any:
        """Acquire, and see that what comes is nobody's and as new; None if a hook failed."""
        try:
            obj = self.pool.acquire()
        except Fault:
            return None
        self.acquired += 1
        self.welcome(obj)
        return obj

    def welcome(self, obj: Any) -> None:
        assert not any(obj is other for other in (*self.lent, *self.kept)), "an object that somebody has"
        assert list(differences(obj, self.new)) == []
        ours = [] if not self.contexts else [getattr(obj, name) for name in PARTS[:-1]]
        assert not any(part is kept for part in ours for kept, _ in self.parts), "a part that somebody has"

    def write(self, obj: Any, place: str = "nothing", inside: str = "use") -> None:
        self.stamps[id(obj)] = stamp = self.acquired
        value = stamp if place in {"nothing", "itself"} else LastWords(self, inside)
        if not self.contexts:
            obj.owner = stamp
            obj.items.append(value)
            return
        obj.number, obj.text, obj.token, obj.request_id = stamp, f"text {stamp}", f"secret {stamp}", f"id {stamp}"
        obj.user, obj.mark, obj.response = stamp, f"mark {stamp}", [stamp]
        obj.grants.extend(b"granted")
        obj.params["value"] = value if place == "params" else stamp
        obj.roles.add(value if place == "roles" else stamp)
        obj.basket.items.append(value if place == "basket" else stamp)
        if place == "itself":
            obj.params["itself"] = obj
        if place in {"user", "mark"}:
            setattr(obj, place, value)

    def still_ours(self, obj: Any) -> None:
        """See that nobody else has written to what was lent to one."""
        assert (obj.number if self.contexts else obj.owner) == self.stamps[id(obj)]
        assert not self.contexts or obj.token == f"secret {obj.number}"

    # --- giving back --------------------------------------------------------------------------------------------------

    @step("lent", which=some, how=st.sampled_from(HOW))
    def release(self, which: int, how: str) -> None:
        self.give_back(which, how)

    def give_back(self, which: int = 0, how: str = "at once") -> None:
        which %= len(self.lent)
        self.still_ours(self.lent[which])
        self.released += 1
        if how == "at once":
            self.pool.release(self.lent.pop(which))
        else:
            obj = self.lent.pop(which)
            if how == "kept":
                self.kept.append(obj)
            self.pool.release(obj)

    @step(hook=st.sampled_from(["factory", "reset", "validate"]), which=some, how=st.sampled_from(HOW))
    def be_interrupted(self, hook: str, which: int, how: str) -> None:
        """H18, H29: what a hook raises to stop it, such as gevent's Timeout, passes; nothing is lost by it."""
        TROUBLE.arm(hook, 1, Interrupt)
        with contextlib.suppress(Interrupt):
            if hook == "reset" and self.lent:
                self.give_back(which, how)
            else:
                self.lent.append(self.arrive())
                self.write(self.lent[-1])
        TROUBLE.disarm()

    @step(raising=st.booleans(), keeping=st.booleans())
    def lease(self, raising: bool, keeping: bool) -> None:
        try:
            with self.pool.lease() as obj:
                self.acquired += 1
                self.released += 1  # however it is left
                self.welcome(obj)
                self.write(obj)
                if keeping:
                    self.kept.append(obj)
                if raising:
                    raise Fault
        except Fault:
            pass

    @step("kept", which=some)
    def release_again(self, which: int) -> None:
        """H12: whoever could release twice holds a reference, so that it cannot have been handed out."""
        obj = self.kept[which % len(self.kept)]
        if self.in_use(obj):
            return
        try:
            self.pool.release(obj)
        except ReleaseError:
            self.refused += 1
        else:
            raise AssertionError("released twice")

    @step(which=some)
    def release_foreign(self, which: int) -> None:
        """H13."""
        try:
            self.pool.release(self.foreign[which % len(self.foreign)])
        except ForeignObject:
            self.refused += 1
        else:
            raise AssertionError("a foreign object was taken")

    @step("lent", which=some)
    def forget(self, which: int) -> None:
        """Drop an object that was never released: the pool takes it back when it notices."""
        obj = self.lent.pop(which % len(self.lent))
        self.orphans.append(obj)
        if self.contexts:
            obj.params.pop("itself", None)
        self.let_go_of_orphans()

    def let_go_of_orphans(self) -> None:
        """Drop those that nobody else keeps; until then they count as in use."""
        before = len(self.orphans)
        self.orphans = [obj for obj in self.orphans if any(obj is kept for kept in self.kept)]
        self.lost += before - len(self.orphans)

    # --- holding ------------------------------------------------------------------------------------------------------

    @step("lent", which=some)
    def keep(self, which: int) -> None:
        self.kept.append(self.lent[which % len(self.lent)])

    @step("contexts", "lent", which=some, name=st.sampled_from(PARTS))
    def keep_part(self, which: int, name: str) -> None:
        """H06, H43: somebody keeps ctx.params, or the token."""
        obj = self.lent[which % len(self.lent)]
        if name == "params":
            obj.params.pop("itself", None)
        self.parts.append((getattr(obj, name), content(getattr(obj, name))))

    @step("parts", which=some)
    def write_into_part(self, which: int) -> None:
        part, _ = self.parts[which % len(self.parts)]
        write_into(part, "late")
        self.parts = [(kept, content(kept) if kept is part else before) for kept, before in self.parts]

    @step("kept", which=some, drop=st.booleans())
    def use_kept(self, which: int, drop: bool) -> None:
        """H06: what was released says so to whoever kept it; then it may be let go."""
        which %= len(self.kept)
        obj = self.kept[which]
        if self.contexts and not self.in_use(obj):
            for use in (lambda: obj.text, lambda: setattr(obj, "text", "late"), lambda: obj.params, obj_repr(obj)):
                try:
                    use()
                except ContextReleased:
                    continue
                raise AssertionError("a released context was used")
        elif not self.contexts and not self.in_use(obj):
            obj.owner = "late"  # nothing can stop its holder
            obj.items.append("late")
        if drop:
            del self.kept[which]
            self.let_go_of_orphans()

    @step("parts", which=some)
    def drop_part(self, which: int) -> None:
        del self.parts[which % len(self.parts)]

    def in_use(self, obj: Any) -> bool:
        return any(obj is other for other in (*self.lent, *self.orphans))

    # --- what else happens --------------------------------------------------------------------------------------------

    @step(hook=st.sampled_from(["factory", "reset", "validate", "invalid"]), times=st.integers(1, 3))
    def fail(self, hook: str, times: int) -> None:
        """H29: from now on."""
        TROUBLE.arm(hook, times)

    @step()
    def collect(self) -> None:
        gc.collect()

    @step(inside=st.sampled_from(INSIDE))
    def leave_garbage(self, inside: str) -> None:
        """H35: found by the collector, whoever is just doing what."""
        garbage: list[Any] = [LastWords(self, inside)]
        garbage.append(garbage)

    @step()
    def clear(self) -> None:
        self.pool.clear()
        assert not self.pool._idle

    @step(count=st.integers(0, 6))
    def prewarm(self, count: int) -> None:
        self.build_ahead(count)

    @step(max_idle=st.integers(0, 6))
    def resize(self, max_idle: int) -> None:
        """H30: as `DynamicSizing` does."""
        self.max_idle = max_idle
        self.pool.resize(max_idle)

    @step(count=st.integers(0, 3))
    def expire(self, count: int) -> None:
        """H30: as the idle timeout does."""
        self.pool._let_go(count)

    def build_ahead(self, count: int) -> None:
        try:
            self.pool.prewarm(count)
        except Fault:
            return

    @step()
    def look(self) -> None:
        """Statistics are exact, and what is free is what comes next."""
        gc.collect()
        held = {id(obj) for obj in self.kept if not self.in_use(obj)}
        stats = self.checked()
        if stats.idle > len(held) and not any(TROUBLE.armed.values()):
            obj = self.arrive()
            assert self.pool.get_stats().misses == stats.misses, "built although one was free"
            self.write(obj)
            self.lent.append(obj)

    def checked(self) -> PoolStats:
        stats = self.pool.get_stats()
        check_pool(stats)
        assert (stats.acquired, stats.released, stats.refused) == (self.acquired, self.released, self.refused)
        assert (stats.in_use, stats.lost) == (len(self.lent) + len(self.orphans), self.lost)
        assert stats.idle == len(self.pool._idle) <= self.max_idle
        raised = TROUBLE.raised
        assert 0 <= stats.reset_errors - raised["reset", Fault] <= raised["reset", Interrupt]
        failed = sum(raised[hook, kind] for hook in ("validate", "invalid") for kind in (Fault, Interrupt))
        assert stats.validation_failures == failed
        for part, before in self.parts:
            assert content(part) == before or isinstance(part, bytearray), "somebody else wrote to a part that one kept"
        return stats

    def act_inside(self, what: str) -> None:
        match what:
            case "use" | "keep":
                obj = self.arrive()
                if obj is not None:
                    self.write(obj)
                    self.lent.append(obj)
                    if what == "use":
                        del obj
                        self.give_back(len(self.lent) - 1)
            case "look":
                self.pool.get_stats()
            case "clear":
                self.pool.clear()
            case "collect":
                gc.collect()
            case "give back" if self.lent:
                self.give_back()
            case "prewarm":
                self.build_ahead(3)

    # --- the end ------------------------------------------------------------------------------------------------------

    def check_end(self) -> None:
        TROUBLE.disarm()
        self.let_go()
        while self.lent:  # the end of some value acquired it
            self.let_go()
        stats = self.checked()
        assert (stats.in_use, stats.quarantined) == (0, 0), stats
        self.pool.prewarm(self.max_idle)
        assert self.pool.get_stats().idle == self.max_idle, "some of its places are lost"
        everything = [self.arrive() for _ in range(self.max_idle)]
        assert self.pool.get_stats().misses == stats.misses
        assert len({id(obj) for obj in everything}) == self.max_idle

    def let_go(self) -> None:
        while self.lent:
            self.give_back()
        self.kept.clear()
        self.parts.clear()
        self.let_go_of_orphans()
        gc.collect()
        self.pool.get_stats()


def obj_repr(obj: Any) -> Any:
    """A use that has to work: it says that the object was released."""

    def use() -> None:
        assert "released" in repr(obj)
        raise ContextReleased

    return use
