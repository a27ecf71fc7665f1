"""Puts a value, which comes under a key, wherever poolware can hold one; ``app`` is Starlette, ``wsgi`` Flask.

The handlers open the value byte by byte in memory of their own and overwrite that before they return, so that whatever
is found afterwards poolware has left. With ``UNWIPED`` in the environment ``/control/unwiped?holders=…`` takes out one
protection at a time.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from apps.control import ASGIControl, WSGIControl, control
from flask import Flask
from flask import Response as FlaskResponse
from flask import request as flask_request
from scan import Sealed
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

import starlette_poolware
from flask_poolware import Poolware
from poolware import BufferPool, Lifecycle, ObjectPool, RequestContext, Secret, SecretField, errors, field, secret
from poolware._core import memory_file, memory_store
from poolware.context import secret as secret_module
from poolware.pools import kinds

PR_SET_PTRACER, PR_SET_PTRACER_ANY = 0x59616D61, ctypes.c_ulong(-1)
KIB = 1024
MAX_IDLE = int(os.environ.get("MAX_IDLE", "8"))

# Where only ancestors may read a process's memory, others may read this one's.
if hasattr(ctypes.CDLL(None), "prctl"):
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)


# --- protections that can be taken out --------------------------------------------------------------------------------

_unwiped: set[str] = set()
_kept: list[Any] = []
"""What was not wiped, so that Python does not overwrite it by chance before somebody looks."""


def _switchable(module: Any, name: str, holder: str, growth: str = "") -> None:
    original = getattr(module, name)

    def unless_unwiped(memory: Any, *rest: Any) -> None:
        callers, frame = set(), sys._getframe(1)
        while frame and len(callers) < 4:
            callers.add(frame.f_code.co_name)
            frame = frame.f_back
        if (f"{holder} growth" if growth in callers else holder) in _unwiped:
            _kept.append(memory.obj if isinstance(memory, memoryview) else memory)
        else:
            original(memory, *rest)

    setattr(module, name, unless_unwiped)


def unwiped(holders: str) -> None:
    """Take out the wiping of `holders`, separated by commas, and of no others."""
    _kept.clear()
    _unwiped.clear()
    _unwiped.update(holders.split(","))


if os.environ.get("UNWIPED"):
    _switchable(secret_module, "wipe", "secret", growth="set")
    _switchable(memory_store, "wipe", "buffer", growth="_grow")
    _switchable(memory_file, "wipe", "truncate")
    _switchable(kinds, "scrub", "field")


# --- what poolware holds ----------------------------------------------------------------------------------------------


class ScanContext(RequestContext):
    token: SecretField = secret(capacity=16)
    spare: SecretField = secret()
    blob: bytearray = field(factory=lambda: bytearray(4096), sensitive=True)
    note: Any = field(default=None, sensitive=True)


lifecycle = Lifecycle(
    ScanContext,
    buffers=BufferPool(tiers=(KIB, 4 * KIB, 16 * KIB, 64 * KIB), max_idle=MAX_IDLE, name="scanned"),
    max_idle=MAX_IDLE,
)
jobs = ObjectPool(ScanContext, max_idle=MAX_IDLE, name="jobs")
control.home = lifecycle
control.pools |= {"contexts": lifecycle.pool, "buffers": lifecycle.buffers, "objects": jobs}

HOLDERS: dict[str, Callable[[ScanContext, Sealed], object]] = {}
held: list[Any] = []
"""What a handler keeps until ``/control/let-go``."""


def holder(function: Callable[[ScanContext, Sealed], object]) -> Callable[[ScanContext, Sealed], object]:
    HOLDERS[function.__name__] = function
    return function


@holder
def nothing(_ctx: ScanContext, sealed: Sealed) -> None:
    """Open the value in every way, and give it to nobody."""
    kinds_of_it = (bytearray, bytes, str) if sealed.width == 1 else (str,)
    for kind in kinds_of_it:
        with sealed.opened(kind):
            pass


@holder
def a_handler_that_keeps_it(_ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytearray) as value:
        held.append((bytes(value), tuple(value)))


@holder
def a_handler_that_drops_it(_ctx: ScanContext, sealed: Sealed) -> None:
    """Many times, so that Python, which uses the memory again, does not overwrite all of it."""
    with sealed.opened(bytearray) as value:
        copies = [bytes(value) for _ in range(32)]
        held.append(bytearray(len(value)))  # beyond them, so that their memory does not go back to the system
        copies.clear()


@holder
def secret_of_bytearray(ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytearray) as value:
        ctx.token = value


@holder
def secret_of_bytes(ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytes) as value:
        ctx.token = value


@holder
def secret_of_str(ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(str) as value:
        ctx.token = value


@holder
def secret_of_a_secret(ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytearray) as value:
        ctx.token = value
    ctx.spare = ctx.token


@holder
def secret_that_grew(ctx: ScanContext, sealed: Sealed) -> None:
    """The last value is none of the canary's, so that only what growth left can be found."""
    with sealed.opened(bytearray) as value, memoryview(value) as view:
        for part in (16, 8, 4, 2, 1):
            ctx.token = view[: len(view) // part]
    ctx.token = bytes(5000)


@holder
def secret_replaced_by_a_shorter_one(ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytearray) as value:
        ctx.token = value
    ctx.token = b"short"


@holder
def secret_outside_of_a_context(_ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytearray) as value:
        Secret(value)


@holder
def secret_in_a_container(ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytearray) as value:
        ctx.params["nested"] = [Secret(value)]


@holder
def secret_compared_with_str(ctx: ScanContext, sealed: Sealed) -> None:
    """The secret itself has another value."""
    with sealed.opened(str) as value:
        control.saw(f"equal: {ctx.token == value}")


@holder
def secret_compared_with_bytes(ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytes) as value:
        ctx.token = value
        control.saw(f"equal: {ctx.token == value}")


@holder
def context_outside_of_a_request(_ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytearray) as value, jobs.lease() as job:
        job.token = value


@holder
def context_never_released(_ctx: ScanContext, sealed: Sealed) -> None:
    """Lost, and taken back when the pool is asked for its statistics."""
    with sealed.opened(bytearray) as value:
        memoryview(jobs.acquire().blob)[: len(value)] = value


@holder
def field_filled(ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytearray) as value:
        memoryview(ctx.blob)[: len(value)] = value


@holder
def field_assigned(ctx: ScanContext, sealed: Sealed) -> None:
    ctx.note = bytearray(4096)
    with sealed.opened(bytearray) as value:
        memoryview(ctx.note)[: len(value)] = value


@holder
def field_exported(ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytearray) as value:
        memoryview(ctx.blob)[: len(value)] = value
    held.append(memoryview(ctx.blob))


@holder
def buffer_that_grew(ctx: ScanContext, sealed: Sealed) -> None:
    """Through all tiers, and beyond the largest."""
    buffer = ctx.buffer(64)
    with sealed.opened(bytearray) as value:
        while len(buffer) < 100 * KIB:
            buffer.write(value)


@holder
def buffer_viewed(ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytearray) as value, ctx.buffer(len(value)).view() as view:
        view[: len(value)] = value


@holder
def buffer_viewed_and_truncated(ctx: ScanContext, sealed: Sealed) -> None:
    """And written to once more, through a view that is older than the cut."""
    with sealed.opened(bytearray) as value:
        buffer = ctx.buffer(len(value))
        with buffer.view() as view:
            view[: len(value)] = value
            buffer.truncate(0)
            view[: len(value)] = value


@holder
def buffer_truncated(ctx: ScanContext, sealed: Sealed) -> None:
    buffer = ctx.buffer(64)
    with sealed.opened(bytearray) as value:
        buffer.write(value)
    buffer.truncate(0)


@holder
def buffer_written_over(ctx: ScanContext, sealed: Sealed) -> None:
    """From behind: a gap, then the value, then back to the start."""
    buffer = ctx.buffer(64)
    buffer.seek(500)
    with sealed.opened(bytes) as value:
        buffer.writelines([value])
    buffer.seek(0)
    buffer.write(b"short")


@holder
def buffer_read_into(ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytearray) as value:
        buffer = ctx.buffer(len(value))
        buffer.write(value)
        buffer.seek(0)
        buffer.readinto(value)


@holder
def buffer_read_by_lines(ctx: ScanContext, sealed: Sealed) -> None:
    """Only the lines before the value are asked for."""
    with sealed.opened(bytearray) as value:
        buffer = ctx.buffer(8 * KIB)
        buffer.write(b"first\nsecond\n")
        buffer.write(value)
    buffer.seek(0)
    if [buffer.readline(), next(buffer)] != [b"first\n", b"second\n"]:
        control.wrong("the buffer has other lines")


@holder
def buffer_released_early(ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytearray) as value:
        buffer = ctx.buffer(len(value))
        buffer.write(value)
    buffer.release()


@holder
def buffer_never_released(_ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytearray) as value:
        lifecycle.buffers.acquire(len(value)).write(value)


@holder
def buffer_view_held(ctx: ScanContext, sealed: Sealed) -> None:
    with sealed.opened(bytearray) as value:
        buffer = ctx.buffer(len(value))
        buffer.write(value)
    held.append(buffer.getbuffer())


@holder
def everything(ctx: ScanContext, sealed: Sealed) -> None:
    for each in (secret_that_grew, secret_of_bytes, field_filled, field_assigned, buffer_that_grew, buffer_viewed):
        each(ctx, sealed)


# --- the end of the request -------------------------------------------------------------------------------------------

_let_go = threading.Event()


def keep(ctx: ScanContext, token: Secret, buffer: Any) -> None:
    """Keep a context and parts of it in a frame, then say what one gets from them."""
    _let_go.wait()
    for use in (lambda: ctx.note, token.reveal, buffer.getvalue):
        try:
            control.saw(f"kept: {use()!r}")
        except errors.PoolwareError as error:
            control.saw(type(error).__name__)


def let_go() -> None:
    _let_go.set()
    while held:
        if isinstance(thing := held.pop(), memoryview):
            thing.release()


control.actions |= {"unwiped": unwiped, "let-go": let_go, "references": lambda: [id(unit) for unit in range(256)]}


def hold(ctx: ScanContext, body: bytes, *, holder: str, end: str, width: str, times: str) -> None:
    HOLDERS[holder](ctx, Sealed(body, int(width), int(times)))
    _let_go.clear()
    match end:
        case "raised":
            msg = "as planned"
            raise RuntimeError(msg)
        case "kept by a thread":
            threading.Thread(target=keep, args=(ctx, ctx.token, ctx.buffer(64))).start()
        case "kept by a task":
            held.append(asyncio.ensure_future(asyncio.to_thread(keep, ctx, ctx.token, ctx.buffer(64))))


async def hold_async(request: Request) -> Response:
    ctx = ScanContext.of(request)
    hold(ctx, await request.body(), **request.query_params)

    async def stream() -> AsyncIterator[bytes]:
        while ctx.token is not None:
            yield b"more to come"
            await asyncio.sleep(0.01)

    return StreamingResponse(stream()) if request.query_params["end"] == "left" else PlainTextResponse("held")


inner = Starlette(routes=[Route("/hold", hold_async, methods=["POST"])])
starlette_poolware.init_app(inner, lifecycle)
app = ASGIControl(inner)
inner_wsgi = Flask(__name__)
Poolware(inner_wsgi, lifecycle)


@inner_wsgi.post("/hold")
def hold_sync() -> Any:
    ctx = ScanContext.of(flask_request)
    hold(ctx, flask_request.get_data(), **flask_request.args)

    def stream() -> Iterator[bytes]:
        while ctx.token is not None:
            yield b"more to come"
            time.sleep(0.01)

    return FlaskResponse(stream()) if flask_request.args["end"] == "left" else "held"


wsgi = WSGIControl(inner_wsgi)
