"""Requests under hypothesis: begun, finished once, twice or never, with everything that a request may borrow."""

from __future__ import annotations

import gc
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from poolware import BufferPool, ContextReleased, Lifecycle, ObjectPool, ReleaseError

from .machine import LastWords, Machine, check_buffers, check_pool, step
from .samples import PARTS, TROUBLE, ChaosContext, Fault, Interrupt, Tool, content, differences, write_into

KEY = "poolware.ctx"
INSIDE = ("a request", "look", "collect", "finish another", "finish its own")
some = st.integers(0, 9)


class Visit:
    """A request in flight; the machine reaches its context through the carrier alone."""

    def __init__(self, carrier: dict[str, Any], stamp: int) -> None:
        self.carrier, self.stamp = carrier, stamp
        self.tools = self.buffers = 0
        self.interrupted = False
        self.views: list[tuple[memoryview, bytes]] = []

    @property
    def ctx(self) -> Any:
        return self.carrier[KEY]


class Unwilling:
    """A pool that counts, and fails to take back."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error, self.lent = error, 0

    def acquire(self) -> object:
        self.lent += 1
        return object()

    def release(self, _obj: object) -> None:
        self.lent -= 1
        raise self.error


class Nested:
    """A pool that serves a request of its own whenever something comes back."""

    def __init__(self, machine: LifecycleMachine) -> None:
        self.machine = machine

    def acquire(self) -> object:
        return object()

    def release(self, _obj: object) -> None:
        self.machine.reenter("a request")


class LifecycleMachine(Machine):
    @initialize(max_idle=st.sampled_from([0, 1, 3, 50]), max_quarantine=st.sampled_from([0, 2, 50]))
    def build(self, max_idle: int, max_quarantine: int) -> None:
        self.buffers = BufferPool(tiers=(64, 1024), max_size=4096)
        self.lifecycle = Lifecycle(
            ChaosContext, buffers=self.buffers, max_idle=max_idle, max_quarantine=max_quarantine, prewarm=1
        )
        self.pool, self.max_idle = self.lifecycle.pool, max_idle
        self.tools = ObjectPool(Tool, reset=Tool.reset, max_idle=2)
        self.failing, self.interrupting, self.nested = Unwilling(Fault), Unwilling(Interrupt), Nested(self)
        self.new = ChaosContext()
        self.visits: list[Visit] = []
        self.carriers: list[dict[str, Any]] = []
        self.kept: list[Any] = []
        self.parts: list[tuple[Any, Any]] = []
        self.views: list[tuple[memoryview, bytes]] = []
        self.copies: list[tuple[Any, int, str]] = []
        self.begun = self.finished = self.refused = self.abandoned = self.tools_abandoned = self.buffers_abandoned = 0

    # --- a request ----------------------------------------------------------------------------------------------------

    @step(wsgi=st.booleans(), again=st.booleans(), place=st.sampled_from(["nothing", "user", "roles", "basket"]))
    def begin(self, wsgi: bool, again: bool, place: str) -> None:
        if again and self.carriers:
            carrier = self.carriers.pop()
        elif wsgi:
            carrier = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
        else:
            carrier = {"type": "http", "method": "GET", "path": "/", "headers": []}
        self.start(carrier, place)

    def start(self, carrier: dict[str, Any], place: str = "nothing", inside: str = "a request") -> None:
        try:
            ctx = self.lifecycle.begin(carrier)
        except Fault:
            assert KEY not in carrier
            return
        self.begun += 1
        assert ctx is carrier[KEY]
        others = (*(visit.ctx for visit in self.visits if KEY in visit.carrier), *self.kept)
        assert not any(ctx is other for other in others), "a context that somebody has"
        assert list(differences(ctx, self.new, carrier)) == []
        assert not any(getattr(ctx, name) is part for name in PARTS[:-1] for part, _ in self.parts)
        self.visits.append(Visit(carrier, self.begun))
        self.write(ctx, self.begun, LastWords(self, inside) if place != "nothing" else "as drawn", place)

    def write(self, ctx: Any, stamp: int, value: Any, place: str) -> None:
        ctx.number, ctx.text, ctx.mark, ctx.token = stamp, f"text {stamp}", f"mark {stamp}", f"token {stamp}"
        ctx.params["stamp"] = stamp
        ctx.grants.extend(b"granted")
        ctx.roles.add(value if place == "roles" else stamp)
        ctx.basket.items.append(value if place == "basket" else stamp)
        ctx.user = value if place == "user" else stamp
        ctx.request_id = f"id {stamp}"

    @step("visits", which=some, inside=st.sampled_from(INSIDE))
    def put_last_words(self, which: int, inside: str) -> None:
        self.visits[which % len(self.visits)].ctx.response = LastWords(self, inside)

    @step("visits", which=some, times=st.integers(1, 3), holding=st.sampled_from(["nothing", "variable", "kept"]))
    def finish(self, which: int, times: int, holding: str) -> None:
        self.end(which, times, holding)

    def end(self, which: int = 0, times: int = 1, holding: str = "nothing") -> None:
        visit = self.visits.pop(which % len(self.visits))
        assert (visit.ctx.number, visit.ctx.params["stamp"]) == (visit.stamp, visit.stamp)
        assert visit.ctx.token == f"token {visit.stamp}"
        held = visit.ctx if holding == "variable" else None
        if holding == "kept":
            self.kept.append(visit.ctx)
        self.views += visit.views
        self.finished += 1
        interrupted = False
        for _ in range(times):
            try:
                self.lifecycle.finish(visit.carrier)
            except Interrupt:
                interrupted = True
        assert interrupted == visit.interrupted
        assert KEY not in visit.carrier
        assert held is None or "released" in repr(held)
        self.carriers.append(visit.carrier)

    @step("carriers", which=some)
    def finish_again(self, which: int) -> None:
        self.lifecycle.finish(self.carriers[which % len(self.carriers)])

    @step("visits", which=some)
    def release_by_hand(self, which: int) -> None:
        """H12: the end of the request is then told so; the pool is unharmed."""
        visit = self.visits[which % len(self.visits)]
        if visit.tools or visit.buffers or visit.interrupted:
            return
        self.visits.remove(visit)
        self.finished += 1
        self.lifecycle.pool.release(visit.ctx)
        try:
            self.lifecycle.finish(visit.carrier)
        except ReleaseError:
            self.refused += 1
            return
        raise AssertionError("released twice")

    @step("visits", which=some)
    def abandon(self, which: int) -> None:
        """Drop a request that nobody finishes: it may be found or stay in use, and is nobody else's."""
        visit = self.visits.pop(which % len(self.visits))
        visit.ctx.user = visit.ctx.response = None
        self.abandoned += 1
        self.tools_abandoned += visit.tools
        self.buffers_abandoned += visit.buffers

    # --- borrowing ----------------------------------------------------------------------------------------------------

    @step("visits", which=some, back=st.booleans())
    def borrow(self, which: int, back: bool) -> None:
        visit = self.visits[which % len(self.visits)]
        try:
            tool = visit.ctx.borrow(self.tools)
        except Fault:
            return
        assert list(differences(tool, NEW_TOOL)) == []
        tool.owner = visit.stamp
        tool.items.append(visit.ctx)
        if back:
            self.tools.release(tool)
        else:
            visit.tools += 1

    @step("visits", which=some, what=st.sampled_from(["failing", "interrupting", "nested"]))
    def borrow_from_a_pool_that_fails(self, which: int, what: str) -> None:
        visit = self.visits[which % len(self.visits)]
        visit.ctx.borrow(getattr(self, what))
        visit.interrupted |= what == "interrupting"

    @step(
        "visits",
        which=some,
        size=st.sampled_from([0, 30, 60, 500, 1000, 3000]),
        what=st.sampled_from(["use", "view", "back"]),
    )
    def buffer(self, which: int, size: int, what: str) -> None:
        visit = self.visits[which % len(self.visits)]
        buffer = visit.ctx.buffer(size)
        assert bytes(buffer._memory or b"").count(0) == buffer.capacity >= size
        written = f"{visit.stamp} ".encode() * 5
        buffer.write(written)
        visit.buffers += what != "back"
        if what == "view":
            visit.views.append((buffer.view(0, len(written), readonly=True), written))
        if what == "back":
            buffer.release()

    # --- holding ------------------------------------------------------------------------------------------------------

    @step("visits", which=some)
    def detach(self, which: int) -> None:
        visit = self.visits[which % len(self.visits)]
        try:
            self.copies.append((visit.ctx.detach(), visit.stamp, visit.ctx.text))
        except Fault:  # a copy has parts of its own, which are built as well
            return

    @step("visits", which=some)
    def keep(self, which: int) -> None:
        self.kept.append(self.visits[which % len(self.visits)].ctx)

    @step("visits", which=some, name=st.sampled_from(PARTS))
    def keep_part(self, which: int, name: str) -> None:
        part = getattr(self.visits[which % len(self.visits)].ctx, name)
        self.parts.append((part, content(part)))

    @step("parts", which=some, drop=st.booleans())
    def write_into_part(self, which: int, drop: bool) -> None:
        part, _ = self.parts[which % len(self.parts)]
        if drop:
            self.parts = [(kept, before) for kept, before in self.parts if kept is not part]
            return
        write_into(part, "late")
        self.parts = [(kept, content(kept) if kept is part else before) for kept, before in self.parts]

    @step("kept", which=some, drop=st.booleans())
    def use_kept(self, which: int, drop: bool) -> None:
        """H06."""
        ctx = self.kept[which % len(self.kept)]
        if not any(visit.ctx is ctx for visit in self.visits) and not self.abandoned:
            for use in (lambda: ctx.text, lambda: setattr(ctx, "text", "late"), lambda: ctx.buffer(1), ctx_borrow(ctx)):
                try:
                    use()
                except ContextReleased:
                    continue
                raise AssertionError("a released context was used")
        if drop:
            del self.kept[which % len(self.kept)]

    @step("views", which=some)
    def drop_view(self, which: int) -> None:
        del self.views[which % len(self.views)]

    # --- what else happens --------------------------------------------------------------------------------------------

    @step(hook=st.sampled_from(["factory", "reset"]), times=st.integers(1, 2))
    def fail(self, hook: str, times: int) -> None:
        TROUBLE.arm(hook, times)

    @step()
    def collect(self) -> None:
        gc.collect()

    @step()
    def clear(self) -> None:
        self.lifecycle.close()
        self.lifecycle.pool.clear()

    @step()
    def look(self) -> None:
        contexts, buffers, tools = self.pool.get_stats(), self.buffers.get_stats(), self.tools.get_stats()
        check_pool(contexts)
        check_pool(tools)
        check_buffers(buffers)
        assert (contexts.acquired, contexts.refused) == (self.begun, self.refused)
        assert contexts.in_use + contexts.lost == len(self.visits) + self.abandoned
        assert contexts.released == self.finished
        assert contexts.idle <= self.max_idle
        out = sum(visit.tools for visit in self.visits)
        assert out <= tools.in_use <= out + self.tools_abandoned
        out = sum(visit.buffers for visit in self.visits)
        assert out <= buffers.in_use <= out + self.buffers_abandoned
        for view, written in (*self.views, *(view for visit in self.visits for view in visit.views)):
            assert view.tobytes() == written, "somebody else wrote to memory that is still looked at"
        for part, before in self.parts:
            assert content(part) == before or isinstance(part, bytearray), "somebody else wrote to a part that one kept"
        self.check_copies()

    def check_copies(self) -> None:
        """H06: what outlives its request on purpose has all but the secrets, and keeps it."""
        for copy, stamp, text in self.copies:
            assert (copy.number, copy.text, copy.request_id) == (stamp, text, f"id {stamp}")
            assert copy.params["stamp"] == stamp
            assert (copy.mark, bool(copy.token), copy.grants) == (None, False, bytearray())

    def act_inside(self, what: str) -> None:
        match what:
            case "a request":
                before = len(self.visits)
                self.start({"type": "http", "method": "GET", "path": "/inside", "headers": []})
                if len(self.visits) > before:
                    self.end(len(self.visits) - 1)
            case "look":
                self.pool.get_stats()
            case "collect":
                gc.collect()
            case "finish another" if self.visits and not self.visits[0].interrupted:
                self.end()
            case "finish its own" if self.carriers:
                self.lifecycle.finish(self.carriers[-1])

    def check_end(self) -> None:
        TROUBLE.disarm()
        while self.visits:
            self.end()
        self.kept.clear()
        self.parts.clear()
        gc.collect()
        self.look()
        self.views.clear()
        gc.collect()
        contexts, buffers = self.pool.get_stats(), self.buffers.get_stats()
        assert (contexts.quarantined, buffers.quarantined) == (0, 0)
        if self.abandoned:
            return
        assert self.failing.lent == self.interrupting.lent == 0
        assert contexts.in_use == buffers.in_use == self.tools.get_stats().in_use == contexts.lost == 0
        self.pool.prewarm(self.max_idle)
        assert self.pool.get_stats().idle == self.max_idle, "some of its places are lost"


NEW_TOOL = Tool()


def ctx_borrow(ctx: Any) -> Any:
    return lambda: ctx.borrow(NEW_TOOL)
