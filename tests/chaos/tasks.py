"""Requests as tasks of asyncio and trio, through the ASGI middleware, cancelled at whichever await is drawn."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import trio
from hypothesis import strategies as st

from poolware import BufferPool, ContextReleased, Lifecycle, ObjectPool
from poolware.web.asgi import PoolwareMiddleware

from .machine import check_buffers, check_pool
from .samples import PARTS, ChaosContext, Fault, Tool, content, differences
from .threads import switching_fast

KEY = "poolware.ctx"
PATIENCE = 60
WHAT = (
    *("pause", "pause", "pause", "receive", "start", "send", "send", "write", "buffer", "borrow", "keep", "keep part"),
    *("companion", "swallow", "clean up", "nested", "shielded", "detach", "drop", "look", "raise"),
)


@dataclass(frozen=True)
class Plan:
    """What one request does, and at which of its awaits it is cancelled, if at any."""

    program: Sequence[tuple[str, int]]
    cancelled_at: int | None
    kind: str


Lanes = Sequence[Sequence[Plan]]
"""Connections side by side, and on each of them its requests in a row."""

PLANS = st.builds(
    Plan,
    st.lists(st.tuples(st.sampled_from(WHAT), st.integers(0, 5)), max_size=10),
    st.none() | st.integers(0, 9),
    st.sampled_from(["http", "websocket"]),
)
LANES = st.lists(st.lists(PLANS, min_size=1, max_size=4), min_size=1, max_size=4)


def lanes_from(choose: random.Random) -> Lanes:
    """The same, for runs of which no shorter form is looked for."""

    def plan() -> Plan:
        program = [(choose.choice(WHAT), choose.randrange(6)) for _ in range(choose.randint(0, 12))]
        return Plan(program, choose.choice([None, *range(10)]), choose.choice(["http", "websocket"]))

    return [[plan() for _ in range(choose.randint(1, 6))] for _ in range(choose.randint(1, 6))]


class World:
    """One application, whatever event loops it is served by."""

    def __init__(self) -> None:
        self.buffers = BufferPool(tiers=(64, 1024), max_idle=8)
        self.lifecycle = Lifecycle(ChaosContext, buffers=self.buffers, max_idle=8)
        self.tools = ObjectPool(Tool, reset=Tool.reset, max_idle=4)
        self.middleware = PoolwareMiddleware(self.app, self.lifecycle)
        self.kept: deque[Any] = deque()
        self.parts: deque[tuple[Any, Any]] = deque()
        self.in_transit: deque[tuple[memoryview, bytes]] = deque()
        self.copies: list[tuple[Any, int]] = []
        self.stamps = itertools.count(1)
        self.entered = itertools.count()
        self.steps = itertools.count()
        self.errors: list[BaseException] = []

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        visitor: Visitor = scope["chaos.visitor"]
        if visitor.stamp == 0:
            visitor.arrive(scope)
        await visitor.act(scope, receive, send)

    def sent(self, view: memoryview, written: bytes, at_most: int) -> None:
        """Keep what is sent as a transport does, and see when it leaves that it is what was sent (H07)."""
        self.in_transit.append((view, written))
        while len(self.in_transit) > at_most:
            with contextlib.suppress(IndexError):
                left, expected = self.in_transit.popleft()
                assert left.tobytes() == expected, "somebody else wrote to memory that was being sent"

    def check_afterwards(self) -> None:
        """See that everything came back, and that the figures are exact."""
        if self.errors:
            raise self.errors[0]
        self.sent(memoryview(b""), b"", at_most=0)
        for part, before in self.parts:
            assert content(part) == before or isinstance(part, bytearray), "somebody else wrote to a part that one kept"
        for copy, stamp in self.copies:
            assert (copy.number, copy.request_id, bool(copy.token)) == (stamp, f"id {stamp}", False)
        self.kept.clear()
        self.parts.clear()
        gc.collect()
        contexts, buffers, tools = self.lifecycle.pool.get_stats(), self.buffers.get_stats(), self.tools.get_stats()
        check_pool(contexts)
        check_pool(tools)
        check_buffers(buffers)
        assert contexts.acquired == next(self.entered), contexts
        assert contexts.in_use == contexts.quarantined == contexts.lost == contexts.refused == 0, contexts
        assert tools.in_use == tools.quarantined == tools.lost == tools.refused == 0, tools
        assert buffers.in_use == buffers.quarantined == buffers.refused == 0, buffers
        self.lifecycle.pool.prewarm(8)
        assert self.lifecycle.pool.get_stats().idle == 8, "some of its places are lost"


NEW_CONTEXT, NEW_TOOL = ChaosContext(), Tool()


class Visitor:
    """One request: it does its program, and is cancelled when it comes to the await that was drawn."""

    def __init__(self, world: World, loop: Asyncio | Trio, plan: Plan) -> None:
        self.world, self.loop, self.plan = world, loop, plan
        self.rest = iter(plan.program)
        self.awaits = self.stamp = 0
        self.cancel: Callable[[], object] = lambda: None
        self.over = False

    async def serve(self) -> None:
        """Do a server's part."""
        scope: dict[str, Any] = {"type": self.plan.kind, "method": "GET", "path": "/", "headers": []}
        scope["chaos.visitor"] = self
        try:
            await self.world.middleware(scope, self.receive, self.send_message)
        finally:
            self.over = True
            assert KEY not in scope
            del scope["chaos.visitor"]

    def arrive(self, scope: Any) -> None:
        next(self.world.entered)
        ctx = ChaosContext.of(scope)
        assert list(differences(ctx, NEW_CONTEXT, scope)) == []
        assert not any(ctx is kept for kept in list(self.world.kept)), "a context that somebody has"
        self.stamp = ctx.number = stamp = next(self.world.stamps)
        ctx.user, ctx.token, ctx.mark, ctx.request_id = stamp, f"token {stamp}", f"mark {stamp}", f"id {stamp}"
        ctx.params["stamp"] = stamp
        ctx.basket.items.append(stamp)

    async def act(self, scope: Any, receive: Any, send: Any) -> None:
        for what, number in self.rest:
            next(self.world.steps)
            coroutine = getattr(self, f"do_{what.replace(' ', '_')}")(scope, number)
            if coroutine is not None:
                await coroutine
            self.still_ours(ChaosContext.of(scope))

    def still_ours(self, ctx: Any) -> None:
        assert ctx.number == ctx.user == ctx.params["stamp"] == self.stamp, "somebody else's values in one's own"
        assert ctx.token == f"token {self.stamp}"

    # --- awaits -------------------------------------------------------------------------------------------------------

    async def pause(self) -> None:
        self.about_to_await()
        await self.loop.pause()

    def about_to_await(self) -> None:
        if self.awaits == self.plan.cancelled_at:
            self.cancel()
        self.awaits += 1

    async def receive(self) -> Any:
        await self.pause()
        return {"type": "http.request", "body": b"", "more_body": True}

    async def send_message(self, message: Any) -> None:
        """A transport copies nothing: it keeps what it was given until it has been sent."""
        await self.pause()
        if view := message.get("body"):
            self.world.sent(view, bytes(view), at_most=6)

    async def do_pause(self, _scope: Any, _number: int) -> None:
        await self.pause()

    async def do_receive(self, _scope: Any, _number: int) -> None:
        await self.receive()

    async def do_start(self, _scope: Any, _number: int) -> None:
        await self.send_message({"type": "http.response.start", "status": 200, "headers": []})

    async def do_send(self, scope: Any, number: int) -> None:
        buffer = ChaosContext.of(scope).buffer(16 << number)
        written = f"{self.stamp} ".encode() * (number + 1)
        assert buffer.write(written) == len(written)
        await self.send_message({"type": "http.response.body", "body": buffer.getbuffer(), "more_body": True})

    async def do_swallow(self, _scope: Any, _number: int) -> None:
        with contextlib.suppress(self.loop.Cancelled):
            await self.pause()

    async def do_shielded(self, _scope: Any, _number: int) -> None:
        self.about_to_await()
        await self.loop.shielded_pause()

    async def do_clean_up(self, scope: Any, _number: int) -> None:
        """The rest of the program, and then what has to happen however that ends."""
        try:
            await self.act(scope, None, None)
        finally:
            self.still_ours(ChaosContext.of(scope))
            await self.pause()
            self.still_ours(ChaosContext.of(scope))

    async def do_nested(self, scope: Any, _number: int) -> None:
        """H23: the rest of the program behind a second middleware, which is not the owner."""
        await self.world.middleware(scope, self.receive, self.send_message)

    async def do_companion(self, scope: Any, number: int) -> None:
        """H06: a task that has the context, and goes on whether the request has ended or not."""
        ctx = ChaosContext.of(scope)

        async def go_on(ctx: Any) -> None:
            for _ in range(number):
                await self.loop.pause()
                try:
                    self.still_ours(ctx)
                    ctx.response = "from beside"
                except ContextReleased:
                    if not self.over:
                        self.world.errors.append(AssertionError("sealed before its request had ended"))
                    return
                except AssertionError as error:
                    self.world.errors.append(error)
                    return
                if self.over:
                    self.world.errors.append(AssertionError("a released context was used"))

        self.loop.spawn(go_on, ctx)

    # --- what needs no await ------------------------------------------------------------------------------------------

    def do_write(self, scope: Any, number: int) -> None:
        ctx = ChaosContext.of(scope)
        ctx.text, ctx.mark = f"text {number}", f"mark {number}"
        ctx.roles.add(number)
        ctx.basket.items.append(number)
        ctx.grants.extend(b"granted")

    def do_buffer(self, scope: Any, number: int) -> None:
        buffer = ChaosContext.of(scope).buffer(number * 100)
        assert bytes(buffer._memory).count(0) == buffer.capacity
        buffer.write(f"{self.stamp}".encode() * 10)

    def do_borrow(self, scope: Any, _number: int) -> None:
        ctx = ChaosContext.of(scope)
        tool = ctx.borrow(self.world.tools)
        assert list(differences(tool, NEW_TOOL)) == []
        tool.owner, tool.items = self.stamp, [ctx]

    def do_keep(self, scope: Any, _number: int) -> None:
        self.world.kept.append(ChaosContext.of(scope))

    def do_keep_part(self, scope: Any, number: int) -> None:
        ctx, name = ChaosContext.of(scope), PARTS[number % len(PARTS)]
        part = getattr(ctx, name)
        if name in {"roles", "basket"}:
            setattr(ctx, name, type(part)())  # the request goes on writing to its own
        if name != "params":
            self.world.parts.append((part, content(part)))

    def do_detach(self, scope: Any, _number: int) -> None:
        self.world.copies.append((ChaosContext.of(scope).detach(), self.stamp))

    def do_drop(self, _scope: Any, _number: int) -> None:
        for kept in (self.world.kept, self.world.parts):
            with contextlib.suppress(IndexError):
                kept.popleft()

    def do_look(self, _scope: Any, _number: int) -> None:
        assert self.world.lifecycle.pool.get_stats().in_use > 0

    def do_raise(self, _scope: Any, _number: int) -> None:
        raise Fault


class Asyncio:
    """Requests as tasks of asyncio, each a task of its own, as servers do it."""

    Cancelled: type[BaseException] = asyncio.CancelledError

    def __init__(self) -> None:
        self.companions: list[asyncio.Task[None]] = []

    async def pause(self) -> None:
        await asyncio.sleep(0)

    async def shielded_pause(self) -> None:
        await asyncio.shield(asyncio.ensure_future(asyncio.sleep(0)))

    def spawn(self, work: Callable[[Any], Any], ctx: Any) -> None:
        self.companions.append(asyncio.ensure_future(work(ctx)))

    def run(self, world: World, lanes: Lanes) -> None:
        asyncio.run(self._main(world, lanes))

    async def _main(self, world: World, lanes: Lanes) -> None:
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(self._lane(world, lane))
        for companion in self.companions:
            await companion
        self.companions.clear()

    async def _lane(self, world: World, lane: Sequence[Plan]) -> None:
        for plan in lane:
            visitor = Visitor(world, self, plan)
            task = asyncio.ensure_future(visitor.serve())
            visitor.cancel = task.cancel
            if plan.cancelled_at == 0:
                await asyncio.sleep(0) if len(plan.program) % 2 else task.cancel()
            await asyncio.wait([task])
            error = None if task.cancelled() else task.exception()
            if error is not None and not isinstance(error, Fault):
                world.errors.append(error)


class Trio:
    """The same with trio."""

    Cancelled: type[BaseException] = trio.Cancelled

    async def pause(self) -> None:
        await trio.lowlevel.checkpoint()

    async def shielded_pause(self) -> None:
        with trio.CancelScope(shield=True):
            await trio.lowlevel.checkpoint()

    def spawn(self, work: Callable[[Any], Any], ctx: Any) -> None:
        self.nursery.start_soon(work, ctx)

    def run(self, world: World, lanes: Lanes) -> None:
        trio.run(self._main, world, lanes)

    async def _main(self, world: World, lanes: Lanes) -> None:
        async with trio.open_nursery() as self.nursery:
            for lane in lanes:
                self.nursery.start_soon(self._lane, world, lane)
        del self.nursery

    async def _lane(self, world: World, lane: Sequence[Plan]) -> None:
        for plan in lane:
            visitor = Visitor(world, self, plan)
            with trio.CancelScope() as scope:
                visitor.cancel = scope.cancel
                try:
                    await visitor.serve()
                except Fault:
                    pass
                except Exception as error:
                    world.errors.append(error)
            del scope, visitor


LOOPS = {"asyncio": Asyncio, "trio": Trio}


def run_tasks(loop: str, lanes: Lanes) -> int:
    """Run some connections on an event loop of their own, check everything afterwards, and return the steps."""
    world = World()
    LOOPS[loop]().run(world, lanes)
    world.check_afterwards()
    return next(world.steps)


def run_two_loops(choose: random.Random) -> int:
    """H27: one application, served by two event loops in two threads at once; return the steps."""
    world = World()

    def serve(loop: str, lanes: Lanes) -> None:
        try:
            LOOPS[loop]().run(world, lanes)
        except BaseException as error:
            world.errors.append(error)

    threads = [
        threading.Thread(target=serve, args=(choose.choice(tuple(LOOPS)), lanes_from(choose)), daemon=True)
        for _ in range(2)
    ]
    with switching_fast():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "an event loop does not come to its end"
    world.check_afterwards()
    return next(world.steps)
