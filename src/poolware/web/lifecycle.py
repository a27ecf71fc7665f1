"""Lifecycle: the only place where a request meets pools."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Generic, TypedDict, TypeVar, Unpack, overload

from poolware._core.options import flag, known_options
from poolware.context.ambient import findable
from poolware.context.base import RequestContext
from poolware.context.carrier import Carrier
from poolware.errors import BadOption
from poolware.pools.adapters.outcome import LoanCounts
from poolware.pools.buffers import BufferPool
from poolware.pools.ledger import LeakDetection
from poolware.pools.objects import ObjectPool
from poolware.web.uwsgi import warn_of_silent_forks

__all__ = ["Lifecycle", "LifecycleOptions", "PoolingOptions"]

C = TypeVar("C", bound=RequestContext)


class PoolingOptions(TypedDict, total=False):
    """The keywords that `Lifecycle` takes beside the context class."""

    buffers: BufferPool | None
    prewarm: int
    max_idle: int
    max_quarantine: int
    leak_detection: LeakDetection
    hold_limit: float | None
    ambient: bool


class LifecycleOptions(PoolingOptions, total=False):
    """The keywords that every middleware takes."""

    context: type[RequestContext]


class Lifecycle(Generic[C]):
    """An application's contexts and buffers, and the begin and end of each of its requests.

    ``begin(carrier)`` puts a pristine context into an ASGI scope or a WSGI environ and returns it. ``finish(carrier)``
    takes it out again, gives back what was borrowed, wipes, resets and returns it to its pool; a second call does
    nothing. `finish` never raises what a hook or a pool raised: that is logged and counted.

    Args:
        context: the class of the application's contexts.
        buffers: the pool behind ``ctx.buffer(size)``; one of its own by default.
        prewarm: contexts to build at the start.
        max_idle: contexts kept for reuse at the most.
        max_quarantine: contexts that somebody held beyond their request, watched for coming back.
        leak_detection: of which contexts and buffers to note time and stack, as `ObjectPool` does.
        hold_limit: seconds for which one of these may be in use before that is logged.
        ambient: whether `poolware.current` finds the context in the task or thread that serves the request.

    Raises:
        BadOption: an argument has a value that it does not take.
    """

    begin: Callable[[Carrier], C]
    """Place a pristine context in `carrier`, a scope or environ that carries none, and return it."""
    finish: Callable[[Carrier], None]
    """End the request of `carrier`: take its context out and back. Does nothing if that has happened."""

    @overload
    def __init__(self: Lifecycle[RequestContext], **options: Unpack[PoolingOptions]) -> None: ...
    @overload
    def __init__(self, context: type[C], **options: Unpack[PoolingOptions]) -> None: ...
    def __init__(
        self,
        context: type[C] = RequestContext,  # type: ignore[assignment]
        *,
        buffers: BufferPool | None = None,
        prewarm: int = 0,
        max_idle: int = 1024,
        max_quarantine: int = 256,
        leak_detection: LeakDetection = "off",
        hold_limit: float | None = None,
        ambient: bool = False,
    ) -> None:
        if not (isinstance(context, type) and issubclass(context, RequestContext)):
            msg = f"context={context!r}: it takes a class derived from poolware.RequestContext"
            raise BadOption(msg)
        if buffers is not None and not isinstance(buffers, BufferPool):
            msg = f"buffers={buffers!r}: it takes a poolware.BufferPool, or None for one of its own"
            raise BadOption(msg)
        warn_of_silent_forks()
        self.context: type[C] = context
        if buffers is None:
            name = f"{context.__name__} buffers"
            buffers = BufferPool(leak_detection=leak_detection, hold_limit=hold_limit, name=name)
        self.buffers: BufferPool = buffers
        self.pool: ObjectPool[C] = ObjectPool(
            context,
            max_idle=max_idle,
            max_quarantine=max_quarantine,
            prewarm=prewarm,
            leak_detection=leak_detection,
            hold_limit=hold_limit,
            _home=self,
        )
        self.loan_counts: LoanCounts = LoanCounts()
        self.prewarm = prewarm
        self.begin, self.finish = self.pool._kind.cycle.begin, self.pool._kind.cycle.finish
        self.ambient: bool = flag("ambient", ambient)
        if self.ambient:
            self.begin = findable(self.begin)

    @property
    def rolled_back(self) -> int:
        """How many borrowed connections and sessions came back with a transaction open."""
        return self.loan_counts.rolled_back.value

    @property
    def discarded(self) -> int:
        """How many borrowed resources were not fit to be used again: held by somebody, busy, or found broken."""
        return self.loan_counts.discarded.value

    def open(self) -> None:
        """Build the contexts that `prewarm` asks for, as far as they do not rest in the pool."""
        self.pool.prewarm(self.prewarm)

    def close(self) -> None:
        """Let go of resting contexts and memory. Requests in flight end as usual."""
        self.pool.clear()
        self.buffers.clear()


def callable_app(app: object) -> None:
    """Raise `BadOption` unless `app` can be called."""
    if not callable(app):
        msg = f"app={app!r}: it takes a WSGI or ASGI application"
        raise BadOption(msg)


def lifecycle_from(owner: str, lifecycle: object = None, options: dict[str, Any] | None = None) -> Lifecycle[Any]:
    """Return the lifecycle that a middleware called `owner` was given, as such or as keywords.

    Raises:
        UnknownOption: an option of this name does not exist.
        BadOption: an option has a value that it does not take, or both forms are given.
    """
    options = options or {}
    known_options(owner, options, set(inspect.signature(Lifecycle).parameters))
    if lifecycle is None:
        return Lifecycle(**options)
    if options:
        msg = f"{owner} takes either a Lifecycle or its options, not both: {', '.join(options)}"
        raise BadOption(msg)
    if not isinstance(lifecycle, Lifecycle):
        msg = f"lifecycle={lifecycle!r}: it takes a poolware.Lifecycle, or None and the options of one"
        raise BadOption(msg)
    return lifecycle
