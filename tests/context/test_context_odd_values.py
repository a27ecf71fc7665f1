"""What applications do to fields: delete them, put lazy objects into them, borrow while the request ends."""

import logging
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import pytest

from poolware import (
    BadOption,
    ContextReleased,
    FieldNameError,
    Lifecycle,
    MutableDefault,
    RequestContext,
    SecretField,
    UnsupportedBase,
    field,
    secret,
)


class Odd(RequestContext):
    email: str | None = field(default=None, sensitive=True)
    card: bytearray | None = field(default=None, sensitive=True)
    token: SecretField = secret()
    notes: list[str] = field(factory=list, sensitive=True)
    extra: list[str] = field(factory=list, reset=list.clear)


NAMES = ["email", "card", "notes", "extra", "user", "params"]


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_deleted_field(name, held, caplog):
    """H18, H29: the request ends well, everything else is wiped, and the next requests get complete contexts."""
    lifecycle = Lifecycle(Odd, max_idle=3)
    for _ in range(5):
        scope = {"type": "http", "path": "/", "method": "GET"}
        ctx = lifecycle.begin(scope)
        card, ctx.token = bytearray(b"4111"), "geheim"
        memory = ctx.token._memory.obj
        if name != "card":
            ctx.card = card
        delattr(ctx, name)
        kept = [ctx] if held else []
        del ctx
        lifecycle.finish(scope)
        assert not any(memory)
        assert name == "card" or not any(card)
        kept.clear()
    scope = {}
    ctx = lifecycle.begin(scope)
    assert (ctx.email, ctx.card, ctx.notes, ctx.extra, ctx.user, ctx.params) == (None, None, [], [], None, {})
    del ctx
    lifecycle.finish(scope)
    stats = lifecycle.pool.get_stats()
    assert (stats.in_use, stats.created) == (0, 1)
    assert all(record.levelno == logging.ERROR for record in caplog.records)


class Lazy:
    """As Django's request.user: asks the database when anybody asks what it is."""

    def __init__(self):
        self.woken = 0

    @property
    def __class__(self):
        self.woken += 1
        raise RuntimeError("database is down")


@pytest.mark.parametrize("name", ["email", "notes", "user"])
@pytest.mark.parametrize("held", [False, True])
def test_a_lazy_object_is_not_woken(name, held):
    """H29: neither by wiping nor by detach()."""
    lifecycle, scope, lazy = Lifecycle(Odd), {}, Lazy()
    ctx = lifecycle.begin(scope)
    setattr(ctx, name, lazy)
    ctx.detach()
    kept = [ctx] if held else []
    del ctx
    lifecycle.finish(scope)
    assert lazy.woken == 0
    assert lifecycle.pool.get_stats().in_use == 0
    kept.clear()


class Waiting:
    """A pool whose acquire() waits until it is told to go on."""

    def __init__(self):
        self.free, self.entered, self.go = [object()], threading.Event(), threading.Event()

    def acquire(self):
        self.entered.set()
        self.go.wait(10)
        return self.free.pop()

    def release(self, obj):
        self.free.append(obj)


def test_borrowing_while_the_request_ends():
    """H18: what arrives too late goes straight back."""
    lifecycle, scope, pool = Lifecycle(Odd), {}, Waiting()
    errors = []

    def borrow(ctx):
        try:
            ctx.borrow(pool)
        except ContextReleased as error:
            errors.append(error)

    ctx = lifecycle.begin(scope)
    thread = threading.Thread(target=borrow, args=(ctx,))
    thread.start()
    del ctx
    assert pool.entered.wait(10)
    lifecycle.finish(scope)
    pool.go.set()
    thread.join()
    assert len(pool.free) == len(errors) == 1


def test_a_pool_of_coroutines_is_refused():
    """What would never be awaited is not borrowed."""

    class Asynchronous:
        async def acquire(self):
            return object()

        async def release(self, obj):
            pass

    lifecycle, scope = Lifecycle(Odd), {}
    ctx = lifecycle.begin(scope)
    with pytest.raises(BadOption, match="it is an async pool; use await ctx"):
        ctx.borrow(Asynchronous())
    del ctx
    lifecycle.finish(scope)


@pytest.mark.parametrize("replacement", [{}, [], None, "ctx"])
def test_a_replaced_context(replacement):
    """A scope is the application's to spoil; the error says what is wrong, as for every other foreign object."""
    lifecycle, scope = Lifecycle(Odd), {}
    ctx = lifecycle.begin(scope)
    scope["poolware.ctx"] = replacement
    if replacement is None:
        lifecycle.finish(scope)
    else:
        with pytest.raises(RuntimeError, match=f"{type(replacement).__name__} object is not in use here"):
            lifecycle.finish(scope)
    lifecycle.pool.release(ctx)


# --- definitions ------------------------------------------------------------------------------------------------------


def test_a_plain_base_with_something_mutable():
    """H03: what a class shares, all requests share."""

    class Legacy:
        __slots__ = ()
        items: ClassVar[list[str]] = []

    with pytest.raises(
        UnsupportedBase, match="a class whose items is shared by all requests; declare items as a field"
    ):
        type("L", (Legacy, RequestContext), {})


def test_a_plain_base_with_constants():
    class Legacy:
        __slots__ = ()
        LIMIT = 10

        def limit(self):
            return self.LIMIT

    made = type(RequestContext)("L", (Legacy, RequestContext), {})
    assert made().limit() == 10


def test_a_frozen_default_that_caches():
    """H03."""

    @dataclass(frozen=True)
    class Price:
        amount: int

        @cached_property
        def seen(self):
            return {}

    with pytest.raises(MutableDefault):
        type(RequestContext)("C", (RequestContext,), {"__annotations__": {"price": Price}, "price": Price(1)})


def test_a_register_of_classes_sees_each_class_once():
    """The released and the detached variant are poolware's own."""
    register = []

    class Registered(RequestContext):
        def __init_subclass__(cls, *, table, **options):
            super().__init_subclass__(**options)
            register.append((cls.__name__, table))

    class Order(Registered, table="orders"):
        number: int = 0

    assert register == [("Order", "orders")]
    lifecycle, scope = Lifecycle(Order), {}
    ctx = lifecycle.begin(scope)
    assert ctx.detach().number == 0
    lifecycle.finish(scope)
    with pytest.raises(ContextReleased):
        ctx.number = 1


@pytest.mark.parametrize("name", ["register", "mro"])
def test_names_of_the_metaclass_are_free(name):
    made = type(RequestContext)("C", (RequestContext,), {"__annotations__": {name: str}, name: ""})
    assert getattr(made(), name) == ""


@pytest.mark.parametrize("name", ["class", "None", "a b", ""])
def test_names_that_are_none(name):
    """H40."""
    with pytest.raises(FieldNameError, match="is no name for a field"):
        type(RequestContext)("C", (RequestContext,), {"__annotations__": {name: str}, name: ""})
