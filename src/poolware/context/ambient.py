"""What code that was given nothing can find out about the request for which it runs."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from poolware.context.base import RequestContext
from poolware.context.carrier import KEY, Carrier
from poolware.errors import BadOption, ContextMissing

__all__ = ["Box", "RequestVariable", "Turns", "current", "findable"]

C = TypeVar("C", bound=RequestContext)
T = TypeVar("T")


def current(cls: type[C]) -> C:
    """Return the context of the request that this task or thread serves, typed.

    It is found from the moment when the middleware, made with ``ambient=True``, has placed it, until the response has
    ended: in the task or thread that serves the request, and in those that carry on its context variables, as
    ``asyncio.create_task``, ``asyncio.to_thread`` and the frameworks' own threads do.

    Raises:
        ContextMissing: no request is served here, or it has ended, or its middleware has no ``ambient=True``.
        WrongContext: the request carries a context of another class.
        BadOption: `cls` is no context class.
    """
    if not (isinstance(cls, type) and issubclass(cls, RequestContext)):
        msg = f"current({cls!r}): it takes a class derived from poolware.RequestContext"
        raise BadOption(msg)
    box = _box.get()
    carrier = None if box is None else box.found
    if carrier is None:
        msg = (
            f"current({cls.__name__}) found no request. Either this task or thread serves none, or the middleware has "
            "no ambient=True, or the response has ended: use ctx.detach() for work that outlives it"
        )
        raise ContextMissing(msg)
    ctx = carrier.get(KEY)
    return ctx if type(ctx) is cls else cls.of(carrier)


def findable(begin: Callable[[Carrier], C]) -> Callable[[Carrier], C]:
    """Return a function that does what `begin` does, and has `current` find the context."""

    def begin_ambient(carrier: Carrier) -> C:
        ctx = begin(carrier)
        box = _put_box(ctx)
        box.found = carrier
        return ctx

    return begin_ambient


class RequestVariable(Generic[T]):
    """A context variable whose values end with the requests for which they were set (H10).

    What is in a context variable outlives the request: in tasks that it left behind, in threads that serve the next
    one, on some servers with the connection. So what is in it is a box, one for all variables of a request, that hangs
    on the context like something borrowed, and is emptied when that goes back.
    """

    def get(self) -> T | None:
        """Return the value that was set here; None if there is none, or its request has ended."""
        box = _box.get()
        values = None if box is None else box.values
        return None if values is None else values.get(self)

    def set(self, ctx: RequestContext, value: T) -> None:
        """Set it for the request of `ctx`: in this task or thread, and those that carry on its context variables.

        Raises:
            ContextDetached: `ctx` belongs to no request, so nothing would end it.
        """
        if ctx._home is None:
            raise ctx._detached()
        box = _box.get()
        if box is None or box.carrier is None or box.carrier is not ctx._carrier:  # None: emptied, or of a lease
            box = _put_box(ctx)
        box.values = {**(box.values or {}), self: value}


class Box:
    """The values of a request's variables, and where `current` finds its context."""

    __slots__ = ("carrier", "found", "outer", "values")

    def __init__(self, carrier: Carrier | None, outer: Box | None) -> None:
        self.carrier = carrier
        self.outer = outer
        self.found: Carrier | None = None
        self.values: dict[RequestVariable[Any], Any] | None = None

    def release(self) -> None:
        """Empty it. If its request was one within another, the other's values are there again."""
        if _box.get() is self:  # a token would insist on the context in which it was made
            _box.set(self.outer)
        self.carrier = self.found = self.outer = self.values = None


class Turns:
    """The box of a request that has just begun, found only while code runs for that.

    For responses that are made piece by piece: one thread may make several of them in turns, in the same set of context
    variables.
    """

    __slots__ = ("_box",)

    def __init__(self) -> None:
        self._box = _box.get()
        _box.set(self._box and self._box.outer)

    def take(self, call: Callable[..., T], *args: object) -> T:
        """Return what `call` returns."""
        before = _box.get()
        _box.set(self._box)
        try:
            return call(*args)
        finally:
            _box.set(before)


def _put_box(ctx: RequestContext) -> Box:
    box = Box(ctx._carrier, _box.get())
    ctx._keep_until_end(Box, box)
    _box.set(box)
    return box


_box: ContextVar[Box | None] = ContextVar("poolware request", default=None)
