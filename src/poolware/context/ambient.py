"""What code that was given nothing can find out about the request for which it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any, Generic, ParamSpec, TypeVar

from poolware.context.base import RequestContext
from poolware.context.carrier import KEY, Carrier
from poolware.errors import BadOption, ContextMissing

__all__ = ["RequestVariable", "Turns", "current", "findable"]

C = TypeVar("C", bound=RequestContext)
P = ParamSpec("P")
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
    carrier = _carrier.get()
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
        _carrier.set(ctx, carrier)
        return ctx

    return begin_ambient


class RequestVariable(Generic[T]):
    """A context variable whose values end with the requests for which they were set (H10).

    What is in a context variable outlives the request: in tasks that it left behind, in threads that serve the next
    one, on some servers with the connection. So what is in this one is a box that hangs on the context like something
    borrowed, and is emptied when that goes back.
    """

    def __init__(self, name: str) -> None:
        self._variable: ContextVar[_Box[T] | None] = ContextVar(name, default=None)
        _variables.append(self._variable)

    def get(self) -> T | None:
        """Return the value that was set here; None if there is none, or its request has ended."""
        box = self._variable.get()
        return None if box is None else box.value

    def set(self, ctx: RequestContext, value: T) -> None:
        """Set it for the request of `ctx`: in this task or thread, and those that carry on its context variables.

        Raises:
            ContextDetached: `ctx` belongs to no request, so nothing would end it.
        """
        if ctx._home is None:
            raise ctx._detached()
        box = _Box(value, self._variable.get())
        ctx._keep_until_end(self, box)
        self._variable.set(box)

    def release(self, box: _Box[T]) -> None:
        """Empty `box`. If its request was one within another, the other's value is there again."""
        if self._variable.get() is box:  # a token would insist on the context in which it was made
            self._variable.set(box.outer)
        box.value = box.outer = None


class _Box(Generic[T]):
    """A place for one value."""

    __slots__ = ("outer", "value")

    def __init__(self, value: T, outer: _Box[T] | None) -> None:
        self.value: T | None = value
        self.outer: _Box[T] | None = outer


class Turns:
    """What is set for a request, and found only while code runs for that.

    For responses that are made piece by piece: one thread may make several of them in turns, in the same set of context
    variables. It is made when the request has just begun.
    """

    __slots__ = ("_boxes",)

    def __init__(self) -> None:
        began = _carrier._variable.get()
        self._boxes = _exchange([None if began is None else began.outer])

    def take(self, call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Return what `call` returns."""
        before = _exchange(self._boxes)
        try:
            return call(*args, **options)
        finally:
            self._boxes = _exchange(before)


def _exchange(boxes: Iterable[_Box[Any] | None]) -> list[_Box[Any] | None]:
    """Set the variables, as far as there are boxes; return what was in all of them."""
    found = [variable.get() for variable in _variables]
    for variable, box in zip(_variables, boxes, strict=False):
        variable.set(box)
    return found


_variables: list[ContextVar[Any]] = []  # a module's own, and so few; the first of them is that of the carrier
_carrier: RequestVariable[Carrier] = RequestVariable("poolware carrier")
