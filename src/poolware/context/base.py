"""Context and RequestContext: what a request carries."""

from __future__ import annotations

import reprlib
import threading
import uuid
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar, cast, dataclass_transform, overload

from poolware._core.core import Recyclable
from poolware._core.mode import Mode, current_mode
from poolware.context import loans
from poolware.context.carrier import KEY, carrier_of, incoming_request_id, missing, request_line
from poolware.context.define import HOME, INTERNAL, ContextMeta, describe_fields
from poolware.context.fields import FieldDescription, field
from poolware.context.variants import copy_for_detached, rebuild_detached
from poolware.errors import (
    ContextDetached,
    NotCopyable,
    UndeclaredField,
    UnknownOption,
    WrongContext,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from poolware.pools.adapters.shapes import (
        Acquiring,
        AsyncEngine,
        ConnectionPool,
        Engine,
        Queue,
        RedisPool,
        SessionMaker,
    )
    from poolware.pools.buffer import Buffer
    from poolware.pools.lease import AsyncPool, Pool

__all__ = ["Context", "RequestContext"]

T = TypeVar("T")

_FIRST_LOAN = threading.Lock()


@dataclass_transform(eq_default=False, kw_only_default=True, field_specifiers=(field,))
class Context(Recyclable, metaclass=ContextMeta):
    """A recyclable object with declared fields and no other state.

    Annotated attributes are fields. Each needs an immutable default, or `field(factory=…)`, or `secret()`; reset and
    check are generated from the declarations. ``Context`` alone is for pools outside of requests; what a request
    carries derives from `RequestContext`.

        class Job(Context):
            name: str = ""
            rows: list[Row] = field(factory=list)

    A class whose fields others combine by multiple inheritance is declared with ``class Audited(Context, mixin=True)``.
    """

    __slots__ = (*INTERNAL, HOME)
    __poolware_own__: ClassVar[dict[str, Any]] = {}
    __poolware_fields__: ClassVar[dict[str, Any]] = {}
    __poolware_plan__: ClassVar[Any] = None
    _also_settable: ClassVar[tuple[str, ...]] = ()
    _lent: list[list[Any]] | None
    """What was borrowed until the end: the object and who lent it."""
    _carrier: Any
    """The scope or environ of the request; after the end, the text that names it."""
    _request_id: str | None
    _home: Any

    def __init__(self, /, **values: Any) -> None:
        """Build a context of its own, outside of any pool. Raises `UnknownOption` for an undeclared field."""
        cls = type(self)
        for name in (*INTERNAL, HOME):
            setattr(self, name, None)
        for name, (spec, _) in cls.__poolware_fields__.items():
            slot = spec.slot(name).name
            setattr(self, slot, None if spec.capacity else spec.factory() if spec.factory else spec.default)
        for name, value in values.items():
            if name not in cls.__poolware_fields__ and name not in cls._also_settable:
                msg = f"{cls.__name__} has no field {name!r}; it has {_names(cls)}"
                raise UnknownOption(msg)
            setattr(self, name, value)

    @classmethod
    def of(cls, request: object) -> Self:
        """Return the context of `request`, typed.

        `request` is an ASGI scope or a WSGI environ, or an object that has one as ``scope``, ``environ``, ``env`` or
        ``META``: a request of any framework, a consumer of Channels.

        Raises:
            ContextMissing: the request carries none: there is no middleware, or the response has ended.
            WrongContext: the request carries a context of another class.
        """
        try:
            ctx = request.scope[KEY]  # type: ignore[attr-defined]  # by far the most frequent, without a search
            if type(ctx) is cls:
                return ctx
        except (AttributeError, KeyError, TypeError):
            pass
        carrier = carrier_of(request)
        ctx = carrier.get(KEY)
        if isinstance(ctx, cls):
            return ctx
        if ctx is None:
            raise missing(carrier)
        found = type(ctx).__name__
        msg = (
            f"{request_line(carrier)} carries {found}, not {cls.__name__}; use {found}.of(), or context={cls.__name__}"
        )
        raise WrongContext(msg)

    @classmethod
    def describe(cls) -> tuple[FieldDescription, ...]:
        """Return a row for each field: name, type, default, how it resets, whether sensitive, whether vouched."""
        return describe_fields(cls)

    @overload
    def borrow(self, pool: Pool[T]) -> T: ...
    @overload
    def borrow(self, pool: ConnectionPool[T]) -> T: ...
    @overload
    def borrow(self, pool: Engine[T]) -> T: ...
    @overload
    def borrow(self, pool: Queue[T]) -> T: ...
    @overload
    def borrow(self, pool: SessionMaker[T]) -> T: ...
    @overload
    def borrow(self, pool: RedisPool) -> Any: ...
    def borrow(self, pool: Any) -> Any:
        """Take something from `pool` until the response ends.

        `pool` is an `ObjectPool`, a sync pool of psycopg_pool or redis, an engine, session maker or pool of SQLAlchemy,
        a ``queue.Queue``, or any object with ``acquire`` and ``release`` or ``getconn`` and ``putconn``.
        For what is scarce prefer ``with pool.lease() as obj``, which keeps it for the block only.

        Giving back never commits: an open transaction is rolled back.

        Raises:
            PoolUnavailable: `pool` has nothing to lend: `PoolTimeout`, `TooManyWaiting` or `PoolClosed`.
            ContextDetached: this context belongs to no pool.
            BadOption: `pool` is none of these, or asynchronous.
            ContextReleased: the response has ended meanwhile; the object went back.
        """
        return loans.borrow(self, pool)

    @overload
    async def aborrow(self, pool: AsyncPool[T]) -> T: ...
    @overload
    async def aborrow(self, pool: Acquiring[T]) -> T: ...
    @overload
    async def aborrow(self, pool: ConnectionPool[Awaitable[T]]) -> T: ...
    @overload
    async def aborrow(self, pool: AsyncEngine[T]) -> T: ...
    @overload
    async def aborrow(self, pool: SessionMaker[T]) -> T: ...
    @overload
    async def aborrow(self, pool: RedisPool) -> Any: ...
    async def aborrow(self, pool: Any) -> Any:
        """Take something from the async `pool` until the response ends; it goes back on the event loop of this call.

        `pool` is an async pool of psycopg_pool or redis, SQLAlchemy's AsyncEngine or async_sessionmaker, an asyncpg
        pool, or any object with ``aacquire`` and ``release``, or with ``acquire`` and ``release``, or ``getconn`` and
        ``putconn``, that are awaited.

        Raises:
            LoopMissing: the request came by WSGI, where an async view's loop ends before the response does.
            BadOption: `pool` is none of these, or not asynchronous.
            PoolUnavailable, ContextDetached, ContextReleased: as `borrow`.
        """
        return await loans.aborrow(self, pool)

    def buffer(self, size: int) -> Buffer:
        """Return a pooled `Buffer` of at least `size` bytes until the response ends.

        Raises:
            BufferSizeError: `size` is no whole number from 0 to the pool's ``max_size``.
            ContextDetached: this context belongs to no request.
        """
        try:
            buffers = self._home.buffers
        except AttributeError:
            raise self._detached() from None
        buffer: Buffer = buffers.acquire(size)
        self._keep_until_end(buffers.at_end, buffer)
        return buffer

    def detach(self) -> Self:
        """Return a copy that belongs to nobody, without sensitive fields, for work that outlives the response.

        It can be copied and pickled. Sensitive fields have their defaults; the `request_id` is the same.
        """
        cls = type(self)
        fields = cls.__poolware_fields__
        values = {
            name: copy_for_detached(getattr(self, name), vouched=fields[name][0].reset is not None)
            for name in cls.__poolware_open__
        }
        values |= {name: getattr(self, name) for name in cls._also_settable}
        return cast("Self", rebuild_detached(cls.__poolware_plan__.cls, values))

    def __repr__(self) -> str:
        cls = type(self)
        shown = (f"{name}={self._show(name)}" for name in cls.__poolware_fields__)
        return f"<{cls.__name__} {' '.join(shown)}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        msg = f"{type(self).__name__} is neither copied nor pickled: it goes back to its pool. Use ctx.detach()"
        raise NotCopyable(msg)

    if current_mode() is Mode.DEBUG and not TYPE_CHECKING:
        # Outside of debug mode the slots refuse by themselves; a __setattr__ in Python costs 0.2 µs a write.
        def __setattr__(self, name: str, value: object) -> None:
            try:
                object.__setattr__(self, name, value)
            except AttributeError:
                raise self._undeclared(name) from None

        def __getattr__(self, name: str) -> NoReturn:
            raise self._undeclared(name)

    def _undeclared(self, name: str) -> UndeclaredField:
        cls = type(self)
        msg = f"{cls.__name__} has no field {name!r}; it has {_names(cls)}. Declare it: {name}: … = None"
        return UndeclaredField(msg)

    def _show(self, name: str) -> str:
        spec = type(self).__poolware_fields__[name][0]
        if spec.capacity:
            return repr(getattr(self, name))
        return "…" if spec.sensitive else reprlib.repr(getattr(self, name))

    def _detached(self) -> ContextDetached:
        name = type(self).__name__
        msg = f"this {name} belongs to no request, so nothing would give back what it borrows; use pool.lease()"
        return ContextDetached(msg)

    def _keep_until_end(self, lender: object, obj: object) -> None:
        if self._lent is None:
            with _FIRST_LOAN:  # two threads of one request, as FastAPI's dependencies run in
                if self._lent is None:
                    self._lent = []
        self._lent.append([obj, lender])

    def _give_back(self) -> None:
        """Return what was borrowed."""
        loans.give_back(self)

    def _label(self) -> str:
        """Name the request for messages after its end."""
        return ""


class RequestContext(Context):
    """What a request carries. Derive from it and declare your own fields.

        class AppContext(RequestContext):
            tenant: str = ""
            roles: set[str] = field(factory=set)
            token: SecretField = secret()

    Every request writes its own fields, and finds them pristine.
    """

    _also_settable: ClassVar[tuple[str, ...]] = ("request_id",)
    started_at: float = 0.0
    """When the request began: seconds since the epoch."""
    user: Any = None
    params: dict[str, Any] = field(factory=dict)
    response: Any = None

    if TYPE_CHECKING:  # type checkers take what looks like a field, and nothing else, for a keyword of the constructor
        request_id: str = ""
    else:

        @property
        def request_id(self) -> str:
            """The client's ``X-Request-ID`` if harmless (1 to 128 of ``A-Za-z0-9._~:+/=@-``), else 32 hex digits."""
            if self._request_id is None:
                self._request_id = incoming_request_id(self._carrier or {}) or uuid.uuid4().hex
            return self._request_id

        @request_id.setter
        def request_id(self, value: str) -> None:
            self._request_id = value

    def _label(self) -> str:
        line = request_line(self._carrier or {})
        return f"{line} (request {self._request_id})" if line and self._request_id else line


def _names(cls: ContextMeta) -> str:
    return ", ".join(cls.__poolware_fields__) or "none"
