"""What every test app does with a request: look whether its context came pristine, write to it, read it back."""

from __future__ import annotations

import itertools
import os
import time
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apps import sabotage
from apps.control import control

sabotage.apply()

from poolware import Buffer, BufferPool, Lifecycle, ObjectPool, RequestContext, SecretField, field, secret  # noqa: E402

_serials = itertools.count(1)


class Serial:
    """Tells one context from another, whatever their addresses: it is built with its context and stays with it."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = next(_serials)

    def keep(self) -> None:
        """Change nothing: the one thing that is to survive."""


class Base(RequestContext):
    tenant: str = ""
    attempts: int = 0


class VisitContext(Base):
    roles: set[str] = field(factory=set)
    email: str | None = field(default=None, sensitive=True)
    token: SecretField = secret(capacity=16)
    serial: Serial = field(factory=Serial, reset=Serial.keep)


class Notebook:
    """An object that a request borrows."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        self.lines: list[str] = []


notebooks = ObjectPool(Notebook, reset=lambda notebook: notebook.lines.clear(), name="notebooks")


def watch(home: Lifecycle[Any]) -> Lifecycle[Any]:
    """Expect contexts of `home` from now on, and show its pools to the test."""
    control.home = home
    control.pools |= {"contexts": home.pool, "buffers": home.buffers, "objects": notebooks}
    return home


lifecycle = watch(
    Lifecycle(VisitContext, buffers=BufferPool(name="visits"), prewarm=int(os.environ.get("PREWARM", "0")))
)

PRISTINE = {
    "_lent": None,
    "_request_id": None,
    "user": None,
    "params": {},
    "response": None,
    "tenant": "",
    "attempts": 0,
    "roles": set(),
    "email": None,
    "_secret__token": None,
}
"""What the slots of a context hold when it arrives, written by hand; three more are looked at one by one."""


def differences(ctx: Any, carrier: object) -> Iterator[str]:
    """Compare every slot of `ctx` with what it has to hold, without asking poolware which slots there are."""
    slots = {
        name: member
        for klass in type(ctx).__mro__
        for name, member in vars(klass).items()
        if isinstance(member, types.MemberDescriptorType)
    }
    found = {name: member.__get__(ctx) for name, member in slots.items()}
    if type(ctx) is not VisitContext or hasattr(ctx, "__dict__") or "__weakref__" in dir(type(ctx)):
        yield f"a context of class {type(ctx)}"
    for name in sorted(found.keys() ^ (PRISTINE.keys() | {"_carrier", "_home", "started_at", "serial"})):
        yield f"slot {name} is unknown or missing"
    for name in PRISTINE.keys() & found.keys():
        if type(found[name]) is not type(PRISTINE[name]) or found[name] != PRISTINE[name]:
            yield f"{name} came as {found[name]!r}"
    if found["_carrier"] is not carrier or found["_home"] is not control.home:
        yield "the context belongs to another request, or to another application"
    if not 0 <= time.time() - found["started_at"] < 60:
        yield f"started_at came as {found['started_at']!r}"


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

    ctx: VisitContext
    buffer: Buffer
    notebook: Notebook

    def account(self) -> bytes:
        """Say everything that the context and what it lent hold."""
        ctx = self.ctx
        values = [ctx.user, ctx.token.reveal_text(), ctx.tenant, ctx.email, *ctx.roles, *ctx.params.values()]
        return " ".join([*values, *self.notebook.lines]).encode() + b" " + self.buffer.getvalue()


def arrive(ctx: VisitContext, carrier: object, visitor: Visitor) -> Visit:
    """Look at what came, then fill it with the visitor's own data."""
    control.wrong(*differences(ctx, carrier))
    control.identities.add(id(ctx))
    control.serials.add(ctx.serial.number)
    buffer, notebook = ctx.buffer(visitor.size), ctx.borrow(notebooks)
    _look_at(buffer, with_view=visitor.size % 2 == 0)
    if notebook.lines:
        control.wrong(f"a notebook came with {notebook.lines}")
    ctx.user, ctx.token, ctx.tenant, ctx.email = visitor.user, visitor.secret, visitor.tenant, f"{visitor.user}@test"
    ctx.roles.add(visitor.user)
    ctx.params["secret"] = visitor.secret
    ctx.attempts += 1
    notebook.lines.append(f"{visitor.user} {visitor.secret}")
    buffer.write(f"{visitor.user} {visitor.secret} ".encode() * 8)
    return Visit(ctx, buffer, notebook)


def _look_at(buffer: Buffer, *, with_view: bool) -> None:
    """See that all of the memory is zero: through a view, or by reading the gap that seek and write leave."""
    if len(buffer) or buffer.tell():
        control.wrong(f"a buffer came with {len(buffer)} bytes at {buffer.tell()}")
    capacity = buffer.capacity
    if with_view:
        with buffer.view(readonly=True) as view:
            content = bytes(view)
    else:
        buffer.seek(capacity - 1)
        buffer.write(b"\0")
        content = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    if content.count(0) != capacity:
        control.wrong(f"a buffer came with {content.strip(bytes(1))[:80]!r}")
