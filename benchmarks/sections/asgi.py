"""What middleware adds to an ASGI application, driven without an event loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import time
from types import SimpleNamespace
from typing import Any

from benchmarks.groups import Comparison, Group, made
from poolware import RequestContext, field
from poolware.web.asgi import PoolwareMiddleware

BARE, EMPTY, NAMESPACE, POOLWARE = "bare app", "empty middleware", "a fresh SimpleNamespace", "poolware"
TIMED = "a fresh SimpleNamespace with the time"
STARLETTE_CONTEXT, CORRELATION_ID = "starlette-context, raw", "asgi-correlation-id"


class AppContext(RequestContext):
    tenant: str = ""
    roles: set[str] = field(factory=set)


async def endpoint(_scope: Any, _receive: Any, _send: Any) -> None:
    return None


class Empty:
    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class Attaching(Empty):
    """What people write first."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["ctx"] = SimpleNamespace(user=None, params={}, response=None, tenant="", roles=set())
        await self.app(scope, receive, send)


class AttachingTimed(Empty):
    """With all that the context has."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["ctx"] = SimpleNamespace(started_at=time(), user=None, params={}, response=None, tenant="", roles=set())
        await self.app(scope, receive, send)


def starlette_context() -> Any:
    from starlette_context.middleware import RawContextMiddleware  # noqa: PLC0415 - it may not be installed

    return RawContextMiddleware(endpoint)


def correlation_id() -> Any:
    from asgi_correlation_id import CorrelationIdMiddleware  # noqa: PLC0415 - it may not be installed

    return CorrelationIdMiddleware(endpoint)


def driven(app: Any) -> Callable[[], None]:
    """Return a function that serves one request; the application awaits nothing that waits."""

    def request() -> None:
        coroutine = app({"type": "http", "method": "GET", "path": "/", "headers": []}, None, None)
        try:  # noqa: SIM105 - suppress() would be measured too
            coroutine.send(None)
        except StopIteration:
            pass

    return request


def groups() -> Iterator[Group]:
    poolware = PoolwareMiddleware(endpoint, context=AppContext)
    apps = {BARE: endpoint, EMPTY: Empty(endpoint), NAMESPACE: Attaching(endpoint), POOLWARE: poolware}
    apps[TIMED] = AttachingTimed(endpoint)
    peers, absent = made({STARLETTE_CONTEXT: starlette_context, CORRELATION_ID: correlation_id})
    names = {f"app_{number}": driven(app) for number, app in enumerate((apps | peers).values())}

    def check() -> None:
        stats = poolware.lifecycle.pool.get_stats()
        assert (stats.in_use, stats.created) == (0, 1), stats

    yield Group(
        {name: f"{call}()" for name, call in zip(apps | peers, names, strict=True)},
        [
            Comparison(EMPTY, BARE),
            Comparison(POOLWARE, NAMESPACE, EMPTY, target=0.7),
            Comparison(POOLWARE, TIMED, EMPTY),
            Comparison(POOLWARE, STARLETTE_CONTEXT, EMPTY, target=1 / 6),
            *(Comparison(name, EMPTY, BARE) for name in (POOLWARE, NAMESPACE, STARLETTE_CONTEXT, CORRELATION_ID)),
        ],
        names,
        absent,
        check=check,
    )
