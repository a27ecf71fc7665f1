"""What a request of the chaos does, whatever the framework: look, write, borrow, and give things to those who keep."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apps import sabotage
from apps.control import control

sabotage.apply()

from chaos.samples import PARTS, ChaosContext, Tool, content, differences, write_into  # noqa: E402

from poolware import Buffer, ContextReleased, Lifecycle, ObjectPool, Secret, SecretReleased  # noqa: E402

LINES, LINE = 4096, 64
"""Of the big answer, which is more than a socket takes at once: 256 KiB."""
LIMIT = 256 * 1024
HELD_FOR = 0.05
"""Seconds."""

NEW_CONTEXT, NEW_TOOL = ChaosContext(), Tool()
tools = ObjectPool(Tool, reset=Tool.reset, name="tools")


def watch(home: Lifecycle[Any]) -> Lifecycle[Any]:
    """Show the pools of `home` to the test."""
    control.pools |= {"contexts": home.pool, "buffers": home.buffers, "objects": tools}
    return home


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who the client says it is; what it gets back is read from the context alone."""

    user: str
    secret: str
    tenant: str
    size: int
    pause: float

    @classmethod
    def named(cls, query: Mapping[str, str]) -> Visitor:
        return cls(query["user"], query["secret"], query["tenant"], int(query["size"]), float(query["pause"]))


@dataclass(slots=True)
class Visit:
    """A request between its arrival and its answer."""

    ctx: ChaosContext
    buffer: Buffer
    tool: Tool

    def account(self) -> bytes:
        """Say everything that the context and what it lent hold."""
        ctx = self.ctx
        values = [ctx.user, ctx.token.reveal_text(), ctx.text, ctx.mark, ctx.params["secret"], *ctx.roles]
        return " ".join([*values, *ctx.basket.items, *self.tool.items]).encode() + b" " + self.buffer.getvalue()

    def big(self) -> Buffer:
        """Return a pooled buffer that is full of the visitor's own."""
        buffer = self.ctx.buffer(LINES * LINE)
        buffer.write(f"{self.ctx.user} {self.ctx.text} ".encode().ljust(LINE) * LINES)
        return buffer


def arrive(ctx: ChaosContext, carrier: object, visitor: Visitor) -> Visit:
    """Look at what came, then fill it with the visitor's own."""
    control.wrong(*differences(ctx, NEW_CONTEXT, carrier))
    buffer, tool = ctx.buffer(visitor.size), ctx.borrow(tools)
    control.wrong(*differences(tool, NEW_TOOL))
    with buffer.view(readonly=True) as view:
        if bytes(view).count(0) != len(view):
            control.wrong(f"a buffer came with {bytes(view).strip(bytes(1))[:80]!r}")
    ctx.user, ctx.token, ctx.text, ctx.mark = visitor.user, visitor.secret, visitor.tenant, f"{visitor.user}@test"
    ctx.roles.add(visitor.user)
    ctx.params["secret"] = visitor.secret
    ctx.basket.items.append(visitor.tenant)
    tool.items.append(f"{visitor.user} {visitor.secret}")
    buffer.write(f"{visitor.user} {visitor.secret} ".encode() * 8)
    return Visit(ctx, buffer, tool)


# --- those who keep ---------------------------------------------------------------------------------------------------

_kept: queue.SimpleQueue[tuple[float, Callable[[], Iterator[str]] | None]] = queue.SimpleQueue()


def keep_context(visit: Visit, visitor: Visitor) -> None:
    """H06: a thread has the context for a while, most of it after the response."""
    _kept.put((time.monotonic() + HELD_FOR, lambda ctx=visit.ctx: look_at_context(ctx, visitor)))


def look_at_context(ctx: ChaosContext, visitor: Visitor) -> Iterator[str]:
    """Yield what whoever keeps a context must not see: anything that was never its own."""
    try:
        if ctx.user != visitor.user or ctx.token != visitor.secret:
            yield f"a context that {visitor.user} kept says {ctx.user!r}"
    except (ContextReleased, SecretReleased):
        pass


def keep_part(visit: Visit, visitor: Visitor) -> None:
    """H06, H43: the same with a part of it, which is written to at last."""
    part = getattr(visit.ctx, PARTS[visitor.size % len(PARTS)])
    before = content(part)
    _kept.put((time.monotonic() + HELD_FOR, lambda: _look_at_part(part, before, visitor)))


def _look_at_part(part: Any, before: Any, visitor: Visitor) -> Iterator[str]:
    if isinstance(part, Secret):
        try:
            found, expected = part.reveal_text(), visitor.secret
        except SecretReleased:
            return
    else:
        found, expected = content(part), before
        write_into(part, "late")
    if found != expected and not isinstance(part, bytearray):  # which is wiped
        yield f"a part that {visitor.user} kept has become {found!r}"


def _hold_for_a_while() -> None:
    while True:
        due, look = _kept.get()
        time.sleep(max(0, due - time.monotonic()))
        if look is not None:
            control.wrong(*look())
        del look


threading.Thread(target=_hold_for_a_while, daemon=True).start()
