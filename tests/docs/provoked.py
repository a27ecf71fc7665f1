"""Does what it takes to have each error raised, and returns what it says."""

from __future__ import annotations

import asyncio
import copy
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

from poolware import (
    BufferPool,
    BufferRing,
    Lifecycle,
    ObjectPool,
    PoolManager,
    RefCounted,
    RequestContext,
    ResourcePool,
    SecretField,
    errors,
    field,
    secret,
)
from poolware.web.body import read_body, read_body_async
from poolware.web.wsgi import PoolwareMiddleware


class AppContext(RequestContext):
    tenant: str = ""
    token: SecretField = secret()


class OtherContext(RequestContext):
    pass


def get() -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": "/orders"}


def post(length: str, body: bytes = b"") -> dict[str, Any]:
    return {"REQUEST_METHOD": "POST", "PATH_INFO": "/orders", "CONTENT_LENGTH": length, "wsgi.input": BytesIO(body)}


def database(**options: Any) -> ResourcePool[Any]:
    return ResourcePool(object, destroy=None, min_size=0, max_size=1, name="database", **options)


def mutable_default():
    class AppContext(RequestContext):
        roles: list[str] = []  # noqa: RUF012


def missing_default():
    class AppContext(RequestContext):
        tenant: str


def not_a_field():
    class AppContext(RequestContext):
        tenant = ""


def field_name():
    class AppContext(RequestContext):
        borrow: str = ""


def unsupported_base():
    class AppContext(RequestContext):
        def __init__(self):
            self.tenant = ""


def context_released():
    lifecycle, scope = Lifecycle(AppContext), get()
    ctx = lifecycle.begin(scope)
    lifecycle.finish(scope)
    return ctx.tenant


def secret_released():
    lifecycle, scope = Lifecycle(AppContext), get()
    token = lifecycle.begin(scope).token
    lifecycle.finish(scope)
    token.reveal()


def loop_missing():
    lifecycle, environ = Lifecycle(AppContext), post("0")

    async def aconnect():
        return object()

    async def view():
        await lifecycle.begin(environ).aborrow(ResourcePool(aconnect, destroy=None))

    try:
        asyncio.run(view())
    finally:
        lifecycle.finish(environ)


def wrong_context():
    lifecycle, scope = Lifecycle(AppContext), get()
    lifecycle.begin(scope)
    try:
        OtherContext.of(scope)
    finally:
        lifecycle.finish(scope)


def object_released():
    handle = RefCounted.acquire(BufferPool(name="frames"), 64)
    handle.release()
    return handle.value


def already_leased():
    lease = ObjectPool(dict, reset=dict.clear).lease()
    with lease, lease:
        pass


def already_released():
    pool = ObjectPool(AppContext)
    ctx = pool.acquire()
    pool.release(ctx)
    pool.release(ctx)


def pool_timeout():
    pool = database()
    with pool.lease():
        pool.acquire(timeout=0)


def too_many_waiting():
    pool = database(max_waiting=0)
    with pool.lease():
        pool.acquire()


def pool_closed():
    pool = database()
    pool.close()
    pool.acquire()


def buffer_released():
    lifecycle, scope = Lifecycle(AppContext), get()
    buffer = lifecycle.begin(scope).buffer(64)
    lifecycle.finish(scope)
    buffer.write(b"spam")


def buffer_in_use():
    with BufferPool().lease(1024) as buffer, buffer.view(0, 4):
        buffer.write(bytes(4096))


def ring_closed():
    with BufferRing(slots=2) as ring:
        pass
    ring.reserve()


def ring_timeout():
    with BufferRing(slots=1) as ring:
        ring.put(b"spam")
        ring.reserve(timeout=0.01)


def ring_misuse():
    with BufferRing(slots=2) as ring:
        ring.commit(4)


def of_body(length: str, body: bytes = b""):
    lifecycle, environ = Lifecycle(AppContext), post(length, body)
    lifecycle.begin(environ)
    try:
        read_body(environ, limit=1024)
    finally:
        lifecycle.finish(environ)


def body_timeout():
    lifecycle, scope = Lifecycle(AppContext), get() | {"headers": []}
    lifecycle.begin(scope)
    try:
        asyncio.run(read_body_async(scope, asyncio.Event().wait, limit=1024, timeout=0.01))
    finally:
        lifecycle.finish(scope)


IN_DEBUG_MODE = """
import logging
from poolware import Lifecycle, RequestContext, errors, field

class Cart:
    def __init__(self):
        self.items = []

    def clear(self):
        self.items.clear()

class AppContext(RequestContext):
    tenant: str = ""
    cart: Cart = field(factory=Cart, reset=Cart.clear)

said = []
handler = logging.Handler()
handler.emit = lambda record: said.append(record.getMessage())
logging.getLogger("poolware").addHandler(handler)
lifecycle, scope = Lifecycle(AppContext), {"type": "http", "method": "GET", "path": "/orders"}
ctx = lifecycle.begin(scope)
try:
    ctx.tennant = "acme"
except errors.UndeclaredField as error:
    print(str(error).splitlines()[0])
kept = ctx.cart.items
del ctx
lifecycle.finish(scope)
print(next(text for text in said if "somebody still holds" in text).splitlines()[0])
"""


@cache
def in_debug_mode(line: int) -> str:
    environment = os.environ | {"POOLWARE_MODE": "debug"}
    done = subprocess.run(
        [sys.executable, "-c", IN_DEBUG_MODE], check=True, capture_output=True, text=True, env=environment
    )
    return done.stdout.splitlines()[line]


PROVOKE: dict[str, Callable[[], object]] = {
    "DefinitionError": field,
    "MutableDefault": mutable_default,
    "MissingDefault": missing_default,
    "NotAField": not_a_field,
    "FieldNameError": field_name,
    "UnsupportedBase": unsupported_base,
    "ConfigurationError": lambda: ObjectPool(dict),
    "UnknownOption": lambda: PoolwareMiddleware(print, contxt=AppContext),
    "BadOption": lambda: ObjectPool(AppContext, max_idle=-1),
    "ImportPathError": lambda: PoolManager({"jobs": {"kind": "object", "factory": "shop.jobs.Job", "reset": None}}),
    "PoolMissing": lambda: PoolManager({"buffers": {"kind": "buffer"}}).get("jobs"),
    "ContextReleased": context_released,
    "SecretReleased": secret_released,
    "ContextMissing": lambda: AppContext.of(get()),
    "ContextDetached": lambda: AppContext().buffer(64),
    "LoopMissing": loop_missing,
    "WrongContext": wrong_context,
    "UndeclaredField": lambda: in_debug_mode(0),
    "NotCopyable": lambda: copy.copy(AppContext()),
    "ObjectReleased": object_released,
    "PartHeld": lambda: in_debug_mode(1),
    "AlreadyLeased": already_leased,
    "AlreadyReleased": already_released,
    "ForeignObject": lambda: ObjectPool(AppContext).release(AppContext()),
    "PoolTimeout": pool_timeout,
    "TooManyWaiting": too_many_waiting,
    "PoolClosed": pool_closed,
    "BufferSizeError": lambda: BufferPool().acquire(-1),
    "BufferReleased": buffer_released,
    "BufferInUse": buffer_in_use,
    "RingClosed": ring_closed,
    "RingTimeout": ring_timeout,
    "RingMisuse": ring_misuse,
    "BodyTimeout": body_timeout,
    "BodyTooLarge": lambda: of_body("5000"),
    "BodyTruncated": lambda: of_body("1000", b"spam"),
    "BodyInvalid": lambda: of_body("many"),
}
"""For each error what has it raised, or what it says where that takes another process."""


def provoked(name: str) -> str:
    """Return what the error of this name says."""
    try:
        said = PROVOKE[name]()
    except errors.PoolwareError as error:
        said = str(error) if type(error).__name__ == name else error
    assert isinstance(said, str), f"instead of {name}: {said!r}"
    return re.sub(r"longest for [\d.]+ s", "longest for 0.0 s", said)
