"""What is measured: one module-level callable a row, the same work done in several ways."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from poolware import BufferPool, Context, ObjectPool, RequestContext, field
from poolware.web.asgi import PoolwareMiddleware

SIZE = 1 << 20
FILLING = bytes(range(256)) * (SIZE // 256 // 8)


class Slotted:
    """The hand-written object: ten fields, among them a dict and a list."""

    __slots__ = ("cart", "email", "locale", "name", "page", "params", "role", "tenant", "total", "user")

    def __init__(self) -> None:
        self.user = None
        self.tenant = ""
        self.page = 0
        self.role = None
        self.locale = None
        self.name = ""
        self.total = 0
        self.email = None
        self.params: dict[str, Any] = {}
        self.cart: list[Any] = []


class Ten(Context):
    """The same ten fields as a context."""

    user: Any = None
    tenant: str = ""
    page: int = 0
    role: Any = None
    locale: Any = None
    name: str = ""
    total: int = 0
    email: Any = None
    params: dict[str, Any] = field(factory=dict)
    cart: list[Any] = field(factory=list)


class AppContext(RequestContext):
    tenant: str = ""
    roles: set[str] = field(factory=set)


_pool = ObjectPool(Ten)
_acquire, _release = _pool.acquire, _pool.release
_buffers = BufferPool()


def build_slotted() -> None:
    Slotted()


def cycle() -> None:
    _release(_acquire())


def cycle_held() -> None:
    """The same with the caller's own variable, which makes the release seal and the acquisition unseal."""
    ctx = _acquire()
    _release(ctx)


def fresh_buffer() -> None:
    buffer = bytearray(SIZE)
    buffer[: len(FILLING)] = FILLING


def pooled_buffer() -> None:
    with _buffers.lease(SIZE) as buffer:
        buffer.write(FILLING)


async def _endpoint(_scope: Any, _receive: Any, _send: Any) -> None:
    return None


class PassThrough:
    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class Attaching(PassThrough):
    """What people write first: a fresh namespace for each request."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["ctx"] = SimpleNamespace(user=None, params={}, response=None, tenant="", roles=set())
        await self.app(scope, receive, send)


def _drive(app: Any) -> Any:
    def request() -> None:
        coroutine = app({"type": "http", "method": "GET", "path": "/", "headers": []}, None, None)
        try:  # noqa: SIM105 - suppress() would be measured too
            coroutine.send(None)
        except StopIteration:
            pass

    return request


asgi_bare = _drive(_endpoint)
asgi_pass_through = _drive(PassThrough(_endpoint))
asgi_namespace = _drive(Attaching(_endpoint))
asgi_poolware = _drive(PoolwareMiddleware(_endpoint, context=AppContext))
