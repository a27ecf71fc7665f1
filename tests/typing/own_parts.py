"""What an application writes itself, and puts where poolware takes a protocol; names for its annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Unpack, assert_type

from poolware import (
    AsyncPool,
    BufferRing,
    Eviction,
    Fixed,
    Growth,
    Lifecycle,
    ManagedPool,
    ObjectPool,
    Pool,
    PoolManager,
    RequestContext,
    ResourcePool,
    Resting,
    RingStats,
    Step,
    Store,
    TinyStep,
    Usage,
)
from poolware.observe import PoolSnapshot, Watch
from poolware.observe.rules import RULES, Rule
from poolware.web.asgi import ASGIApp, Message, PoolwareMiddleware, Receive, Scope, Send
from poolware.web.lifecycle import LifecycleOptions, PoolingOptions
from poolware.web.wsgi import Environ, StartResponse, WSGIApp


class AtNight:
    step: Step = Fixed(4)
    period: float = 1.0

    def reserve(self, usage: Usage) -> int:
        return usage.in_use // 2


class Doubling:
    def count(self, missing: int, size: int) -> int:
        return missing + size


class Heap(list[Any]):
    """A list has all that a store needs."""


class Tickets:
    def get_stats(self) -> int:
        return 0


def old_and_many(resting: Resting) -> bool:
    return resting.age > 600 and resting.size > 4


def strategies() -> None:
    growth: Growth = AtNight()
    step: Step = Doubling()
    store: Callable[[], Store] = Heap
    eviction: Eviction = old_and_many
    ObjectPool(list[int], reset=list[int].clear, growth=growth, store=store)
    ResourcePool(object, eviction=eviction)
    step = TinyStep(2)
    step = 3  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    growth = step  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def managed() -> None:
    kinds: dict[str, Callable[..., ManagedPool]] = {"tickets": Tickets}
    PoolManager({"tickets": {"kind": "tickets"}}, kinds=kinds)
    PoolManager(kinds={"tickets": dict})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]


async def any_pool(ctx: RequestContext, pool: Pool[int], async_pool: AsyncPool[str], ring: BufferRing) -> None:
    assert_type(ctx.borrow(pool), int)
    assert_type(await ctx.aborrow(async_pool), str)
    assert_type(ring.get_stats(), RingStats)


def export(seen: Sequence[PoolSnapshot]) -> None: ...


def names_of_alerts() -> None:
    assert_type(RULES[0], Rule)
    Watch(exporters=[export])


def with_defaults_of_ours(app: ASGIApp, **options: Unpack[LifecycleOptions]) -> ASGIApp:
    return PoolwareMiddleware(app, **options)


def lifecycle_of_ours(**options: Unpack[PoolingOptions]) -> Lifecycle[RequestContext]:
    return Lifecycle(RequestContext, **options)


async def bare_asgi(scope: Scope, receive: Receive, send: Send) -> None:
    message: Message = await receive()
    await send(message)


def bare_wsgi(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("204 No Content", [])
    return []


applications: tuple[ASGIApp, WSGIApp] = (bare_asgi, bare_wsgi)
