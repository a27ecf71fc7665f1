"""Programs that several threads run on the same pools, switched after every few instructions."""

from __future__ import annotations

import contextlib
import gc
import itertools
import random
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

from poolware import BufferPool, ContextReleased, Lifecycle, ObjectPool, ReleaseError, SecretReleased

from .machine import check_buffers, check_pool
from .samples import PARTS, ChaosContext, Fault, Tool, content, differences, write_into

KEY = "poolware.ctx"
PATIENCE = 60
LATE = (ContextReleased, SecretReleased)
WEIGHTS = {
    **dict.fromkeys(("acquire", "release"), 6),
    **dict.fromkeys(("lease", "lease_tool", "request", "buffer", "hand_over", "take_over"), 3),
    **dict.fromkeys(("keep", "use_kept", "drop_kept", "keep_part", "write_part", "drop_part", "write_late"), 2),
    **dict.fromkeys(("keep_tool", "write_into_tool", "drop_tool"), 1),
    **dict.fromkeys(("contest", "contend", "open_request", "finish_request", "keep_view", "look_at_view"), 2),
    **dict.fromkeys(("look", "clear", "prewarm", "collect", "abandon_buffer"), 1),
}


class Stage:
    """What the threads of one round share."""

    def __init__(self, choose: random.Random) -> None:
        sizes: Any = {"max_idle": choose.choice([0, 2, 8, 64]), "max_quarantine": choose.choice([0, 4, 64])}
        numbers = itertools.count(1)

        def make_tool() -> Tool:
            if next(numbers) % 23 == 0:
                raise Fault
            return Tool()

        self.contexts = ObjectPool(ChaosContext, **sizes)
        self.tools = ObjectPool(make_tool, reset=Tool.reset, validate=lambda _tool: next(numbers) % 29, **sizes)
        self.buffers = BufferPool(tiers=(64, 1024), max_idle=sizes["max_idle"])
        self.lifecycle = Lifecycle(ChaosContext, buffers=self.buffers, **sizes)
        self.handed_over: deque[Any] = deque()
        self.kept: deque[Any] = deque(maxlen=12)
        self.parts: deque[Any] = deque(maxlen=12)
        self.in_danger: deque[Any] = deque(maxlen=4)
        self.kept_tools: deque[Any] = deque(maxlen=4)
        self.contested: deque[Any] = deque()
        self.requests: deque[Any] = deque()
        self.views: deque[Any] = deque(maxlen=12)
        self.stamps = itertools.count(1)
        self.errors: list[BaseException] = []

    def let_go(self) -> None:
        for shared in vars(self).values():
            if isinstance(shared, deque):
                shared.clear()
        gc.collect()


NEW_CONTEXT, NEW_TOOL = ChaosContext(), Tool()


class Actor:
    """One thread: what it has, and what it has counted."""

    def __init__(self, stage: Stage, number: int, choose: random.Random, length: int) -> None:
        self.stage, self.number, self.random = stage, number, choose
        self.program = choose.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()), k=length)
        self.held: list[Any] = []
        self.count: Counter[str] = Counter()
        self.steps = 0

    def run(self) -> None:
        try:
            for what in self.program:
                getattr(self, what)()
                self.steps += 1
                if self.stage.errors:
                    return
            while self.held:
                self.release()
        except BaseException as error:
            self.stage.errors.append(error)

    def arrived(self, ctx: Any, carrier: object = None) -> Any:
        assert list(differences(ctx, NEW_CONTEXT, carrier)) == []
        ctx.number = stamp = next(self.stage.stamps)
        ctx.user, ctx.token, ctx.text, ctx.mark = stamp, f"token {stamp}", f"text {stamp}", f"mark {stamp}"
        ctx.params["stamp"] = ctx.basket.items[:] = [stamp]
        ctx.roles.add(stamp)
        return ctx

    @staticmethod
    def still_ours(ctx: Any) -> None:
        assert ctx.user == ctx.number == ctx.params["stamp"][0], "somebody else's values in one's own context"

    # --- contexts -----------------------------------------------------------------------------------------------------

    def acquire(self) -> None:
        if len(self.held) < 4:
            ctx = self.stage.contexts.acquire()
            self.count["contexts"] += 1
            self.held.append(self.arrived(ctx))

    def release(self) -> None:
        if self.held:
            self.still_ours(self.held[-1])
            self.stage.contexts.release(self.held.pop())

    def lease(self) -> None:
        with self.stage.contexts.lease() as ctx:
            self.count["contexts"] += 1
            self.still_ours(self.arrived(ctx))

    def hand_over(self) -> None:
        """H31: acquired here, released by whoever comes."""
        if self.held:
            self.stage.handed_over.append(self.held.pop())

    def take_over(self) -> None:
        with contextlib.suppress(IndexError):
            ctx = self.stage.handed_over.popleft()
            self.still_ours(ctx)
            self.stage.contexts.release(ctx)

    def keep(self) -> None:
        """H06: released, and still held by somebody."""
        if self.held:
            self.stage.kept.append(self.held[-1])
            self.release()
            self.use_kept()

    def use_kept(self) -> None:
        with contextlib.suppress(IndexError):
            kept = self.stage.kept[self.random.randrange(12)]
            if not is_sealed(kept):  # its owner is just about to release it
                return
            for use in (lambda: kept.text, lambda: setattr(kept, "text", "late"), lambda: kept.params):
                with contextlib.suppress(ContextReleased):
                    use()
                    raise AssertionError("a released context was used")
            self.refused(kept)

    def refused(self, ctx: Any) -> None:
        """H12: whoever holds it can release it again, and is told so."""
        try:
            self.stage.contexts.release(ctx)
        except ReleaseError:
            self.count["refused"] += 1
            return
        raise AssertionError("released twice")

    def drop_kept(self) -> None:
        with contextlib.suppress(IndexError):
            self.stage.kept.popleft()

    def contest(self) -> None:
        """H12: offered to all, and released by one of them."""
        if self.held:
            self.stage.contested.append(self.held[-1])
            self.race(self.held.pop())

    def contend(self) -> None:
        with contextlib.suppress(IndexError):
            self.race(self.stage.contested.popleft())

    def race(self, ctx: Any) -> None:
        try:
            self.stage.contexts.release(ctx)
        except ReleaseError:
            self.count["refused"] += 1
        else:
            self.count["won"] += 1

    def write_late(self) -> None:
        """H06: to a context that its owner may be releasing in this moment."""
        if self.held and self.random.random() < 0.5:
            self.stage.in_danger.append(self.held[-1])
            self.release()
            return
        with contextlib.suppress(IndexError, *LATE):
            ctx = self.stage.in_danger[self.random.randrange(4)]
            ctx.text = "late"
            ctx.roles.add("late")
            ctx.basket.items.append("late")
            ctx.token = "late"
            ctx.params["late"] = "late"
            ctx.params = {"stamp": [ctx.number]}
            ctx.request_id = "late"

    # --- parts --------------------------------------------------------------------------------------------------------

    def keep_part(self) -> None:
        if self.held:
            self.stage.parts.append(getattr(self.held[-1], self.random.choice(PARTS)))
            self.held[-1].params = {"stamp": [self.held[-1].number]}
            self.release()

    def write_part(self) -> None:
        with contextlib.suppress(IndexError, BufferError, *LATE):
            part = self.stage.parts[self.random.randrange(12)]
            write_into(part, "late")
            content(part)

    def drop_part(self) -> None:
        with contextlib.suppress(IndexError):
            self.stage.parts.popleft()

    # --- requests -----------------------------------------------------------------------------------------------------

    def carrier(self) -> dict[str, Any]:
        return {"type": "http", "method": "GET", "path": f"/{self.number}", "headers": []}

    def request(self) -> None:
        carrier = self.carrier()
        self.begin(carrier)
        self.finish(carrier)

    def begin(self, carrier: dict[str, Any]) -> None:
        ctx = self.arrived(self.stage.lifecycle.begin(carrier), carrier)
        self.count["requests"] += 1
        self.use_buffer(ctx.buffer(self.random.randrange(2000)))
        with contextlib.suppress(Fault):
            tool = ctx.borrow(self.stage.tools)
            self.count["tools"] += 1
            assert list(differences(tool, NEW_TOOL)) == []
            tool.owner = ctx.number

    def finish(self, carrier: dict[str, Any]) -> None:
        ctx = carrier.get(KEY)
        if ctx is not None:
            with contextlib.suppress(ContextReleased):  # somebody else finishes it
                self.still_ours(ctx)
        self.stage.lifecycle.finish(carrier)
        self.stage.lifecycle.finish(carrier)

    def open_request(self) -> None:
        carrier = self.carrier()
        self.begin(carrier)
        self.stage.requests += (carrier, carrier)

    def finish_request(self) -> None:
        """Two do, perhaps at once."""
        with contextlib.suppress(IndexError):
            self.finish(self.stage.requests.popleft())

    # --- tools and buffers --------------------------------------------------------------------------------------------

    def lease_tool(self) -> None:
        with contextlib.suppress(Fault), self.stage.tools.lease() as tool:
            self.count["tools"] += 1
            assert list(differences(tool, NEW_TOOL)) == []
            tool.owner = self.number
            tool.items.append(self.number)
            assert tool.owner == self.number

    def keep_tool(self) -> None:
        """H06: a plain object knows nothing of its release; whoever keeps it may write to it until he lets it go."""
        with contextlib.suppress(Fault), self.stage.tools.lease() as tool:
            self.count["tools"] += 1
            assert list(differences(tool, NEW_TOOL)) == []
            self.stage.kept_tools.append(tool)

    def write_into_tool(self) -> None:
        with contextlib.suppress(IndexError):
            tool = self.stage.kept_tools[self.random.randrange(4)]
            tool.owner = "late"
            tool.items.append("late")

    def drop_tool(self) -> None:
        with contextlib.suppress(IndexError):
            self.stage.kept_tools.popleft()

    def use_buffer(self, buffer: Any) -> bytes:
        self.count["buffers"] += 1
        assert bytes(buffer._memory).count(0) == buffer.capacity
        written = f"{next(self.stage.stamps)} ".encode() * 4
        buffer.write(written)
        assert buffer.getvalue() == written
        return written

    def buffer(self) -> None:
        with self.stage.buffers.lease(self.random.randrange(1, 1500)) as buffer:
            self.use_buffer(buffer)

    def keep_view(self) -> None:
        """H07: until somebody pushes it out of the queue, as a transport does."""
        buffer = self.stage.buffers.acquire(self.random.randrange(1, 1500))
        written = self.use_buffer(buffer)
        self.stage.views.append((buffer.view(0, len(written), readonly=True), written))
        buffer.release()

    def look_at_view(self) -> None:
        with contextlib.suppress(IndexError):
            view, written = self.stage.views[self.random.randrange(12)]
            assert view.tobytes() == written, "somebody else wrote to memory that is still looked at"

    def abandon_buffer(self) -> None:
        self.use_buffer(self.stage.buffers.acquire(64))

    # --- what else happens --------------------------------------------------------------------------------------------

    def look(self) -> None:
        """H34: looking does not disturb, and takes nothing in use for lost (H32)."""
        self.stage.contexts.get_stats()
        self.stage.lifecycle.pool.get_stats()
        self.stage.buffers.get_stats()
        repr(self.stage.tools)

    def clear(self) -> None:
        self.stage.contexts.clear()
        self.stage.lifecycle.close()

    def prewarm(self) -> None:
        self.stage.contexts.prewarm(2)

    def collect(self) -> None:
        gc.collect(0)


def is_sealed(ctx: Any) -> bool:
    try:
        return "released" in repr(ctx)
    except ContextReleased:  # sealed in the middle of the question
        return True


@contextlib.contextmanager
def switching_fast() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def run_threads(choose: random.Random) -> int:
    """Run one round: some threads, each its own program. Check everything afterwards; return the steps."""
    stage = Stage(choose)
    actors = [
        Actor(stage, number, random.Random(choose.getrandbits(64)), length=150)
        for number in range(choose.randint(2, 6))
    ]
    threads = [threading.Thread(target=actor.run, daemon=True) for actor in actors]
    with switching_fast():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "a thread waits for ever"
    if stage.errors:
        raise stage.errors[0]
    check_afterwards(stage, sum((actor.count for actor in actors), Counter()))
    return sum(actor.steps for actor in actors)


def check_afterwards(stage: Stage, count: Counter[str]) -> None:
    """See that everything came back, and that the figures are exact."""
    for carrier in stage.requests:
        stage.lifecycle.finish(carrier)
    while stage.handed_over:
        stage.contexts.release(stage.handed_over.pop())
    stage.let_go()
    for name, pool in (("contexts", stage.contexts), ("requests", stage.lifecycle.pool), ("tools", stage.tools)):
        stats = pool.get_stats()
        check_pool(stats)
        assert (stats.acquired, stats.released) == (count[name], count[name]), (name, stats)
        assert (stats.in_use, stats.quarantined, stats.lost, stats.reset_errors) == (0, 0, 0, 0), (name, stats)
        assert stats.refused == (count["refused"] if name == "contexts" else 0)
        check_places(pool)
    buffers = stage.buffers.get_stats()
    check_buffers(buffers)
    assert (buffers.acquired, buffers.in_use, buffers.quarantined, buffers.refused) == (count["buffers"], 0, 0, 0)


def check_places(pool: ObjectPool[Any]) -> None:
    """See that the pool still keeps as many as it is to keep: no place is lost, and none was won."""
    for _ in range(pool.max_idle):
        with contextlib.suppress(Fault):
            pool.prewarm(pool.max_idle)
            break
    assert pool.get_stats().idle == pool.max_idle
