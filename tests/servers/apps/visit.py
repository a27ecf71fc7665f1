"""What every test app does with a request: look whether its context came pristine, write to it, read it back."""

from __future__ import annotations

import hashlib
import itertools
import os
import time
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as part
from typing import Any

from apps import sabotage
from apps.control import control

sabotage.apply()

from poolware import Buffer, BufferPool, Lifecycle, ObjectPool, RequestContext, Secret, SecretField, field, secret  # noqa: E402

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
    if found["serial"].number < 1:
        yield f"serial came as {found['serial'].number}"


def secret_of(user: str) -> str:
    """Return the secret of a user who names none, so that it need not be sent."""
    return f"s-{hashlib.sha256(user.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who the client says it is; what it gets back is read from the context alone."""

    user: str
    secret: str = part(repr=False)
    tenant: str
    size: int
    pause: float

    @classmethod
    def named(cls, query: Mapping[str, str]) -> Visitor:
        secret = query.get("secret") or secret_of(query["user"])
        return cls(
            query["user"], secret, query["tenant"], int(query.get("size", "600")), float(query.get("pause", "0"))
        )


@dataclass(slots=True)
class Visit:
    """A request between its arrival and its answer."""

    ctx: VisitContext
    buffer: Buffer | None = None
    notebook: Notebook | None = None

    def account(self) -> bytes:
        """Say everything that the context and what it lent hold."""
        ctx = self.ctx
        if ctx.attempts != 1:
            control.wrong(f"attempts became {ctx.attempts} on the way")
        values = [ctx.user, text_of(ctx.token), ctx.tenant, ctx.email, *ctx.roles, *ctx.params.values()]
        lines = self.notebook.lines if self.notebook else []
        return " ".join([*values, *lines]).encode() + b" " + (self.buffer.getvalue() if self.buffer else b"")


def arrive(ctx: VisitContext, carrier: object, visitor: Visitor) -> Visit:
    """Look at what came, then fill it with the visitor's own data."""
    control.arrive()
    control.wrong(*differences(ctx, carrier))
    control.identities.add(id(ctx))
    control.serials.add(ctx.serial.number)
    fill(ctx, visitor)
    if not hasattr(ctx, "buffer"):  # a state that lends nothing
        return Visit(ctx)
    buffer, notebook = ctx.buffer(visitor.size), ctx.borrow(notebooks)
    _look_at(buffer, with_view=visitor.size % 2 == 0)
    if notebook.lines:
        control.wrong(f"a notebook came with {notebook.lines}")
    notebook.lines.append(f"{visitor.user} {visitor.secret}")
    buffer.write(f"{visitor.user} {visitor.secret} ".encode() * 8)
    return Visit(ctx, buffer, notebook)


def fill(ctx: VisitContext, visitor: Visitor) -> None:
    """Write the visitor's data into every field."""
    ctx.user, ctx.token, ctx.tenant, ctx.email = visitor.user, visitor.secret, visitor.tenant, f"{visitor.user}@test"
    ctx.roles.add(visitor.user)
    ctx.params["secret"] = visitor.secret
    ctx.attempts += 1
    if isinstance(ctx.token, Secret):
        control.entrusted(ctx.token._memory.obj)


def text_of(token: Any) -> str:
    """Return the text of a secret, or of a string in its place."""
    text: str = token.reveal_text() if isinstance(token, Secret) else token
    return text


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
