"""The mutable parts of a context: dropped, rebuilt, or reused on the author's word; never shared."""

import weakref
from typing import Any

import pytest
from fresh_or_reused import Cart, reachable
from requests_sample import AppContext, http_scope

from poolware import Context, ObjectPool, field
from poolware._core.proof import ARGUMENT_SHOWS_CALLER

SHOWN = pytest.mark.skipif(
    not ARGUMENT_SHOWS_CALLER, reason="what is released by hand counts as held where the caller does not show: 3.14"
)


class Shelf(Context):
    rows: list[Any] = field(factory=list)
    names: set[Any] = field(factory=set)
    data: dict[Any, Any] = field(factory=dict)


def turn(pool, use):
    """One request that does `use(ctx)`; nobody keeps the context."""
    scope = http_scope()
    pool._kind.cycle.begin(scope)
    kept = use(scope["poolware.ctx"])
    pool._kind.cycle.finish(scope)
    return kept


@pytest.mark.parametrize("name", ["params", "roles", "cart", "basket", "grants", "token"])
def test_held_part_never_reaches_the_next_request(name):
    """H06 H43: `p = ctx.params`."""
    pool = ObjectPool(AppContext)
    part = turn(pool, lambda ctx: getattr(ctx, name))
    ctx = pool.acquire()
    assert pool.get_stats().hits == 1
    assert getattr(ctx, name) is not part


@pytest.mark.parametrize("name", ["params", "roles", "cart", "basket", "grants", "user"])
def test_container_shared_elsewhere_is_left_alone(name):
    """H04: the application replaced the context's own by one that others use."""
    pool = ObjectPool(AppContext)
    theirs = {"params": {"a": 1}, "roles": {"a"}, "grants": {"a": [1]}}.get(name) or Cart()
    if isinstance(theirs, Cart):
        theirs.items.append("a")
    turn(pool, lambda ctx: setattr(ctx, name, theirs))
    assert theirs in ({"a": 1}, {"a"}, {"a": [1]}) or theirs.items == ["a"]
    assert getattr(pool.acquire(), name) is not theirs


def test_nested_secrets_are_not_reachable_from_the_pool():
    """H05: a sensitive dict that holds dicts."""
    pool = ObjectPool(AppContext)

    def use(ctx):
        ctx.grants["card"] = inner = {"number": ["4111", {"cvc": "geheim"}]}
        ctx.params.update(inner)

    turn(pool, use)
    assert pool.get_stats().idle == 1
    assert not any("geheim" in str(here) for here in reachable(pool._idle) if isinstance(here, str))
    assert list(reachable(pool._idle[0].grants)) in ([None], [{}])  # dropped, or emptied and kept


def test_sensitive_bytearray_is_wiped_wherever_it_is():
    """Invariant 2: what it held is gone for everybody."""

    class Shop(Context):
        key: bytearray = field(factory=bytearray, sensitive=True)

    pool = ObjectPool(Shop)
    ctx = pool.acquire()
    ctx.key += b"geheim"
    key = ctx.key
    pool.release(ctx)
    assert key == bytes(6)


class Shop(Context):
    basket: Cart = field(factory=Cart, reset=Cart.clear)
    rows: list[Any] = field(factory=lambda: BUILT.append(1) or [], reset=lambda rows: rows.clear())
    note: Any = None


class Basket(list):
    """What a request may put where a list was."""


@pytest.mark.parametrize("other", [Basket, dict, set, bytearray])
def test_container_of_another_type_never_reaches_the_next_request(other):
    """H01: though nobody else holds it, and it is empty."""
    pool = ObjectPool(Shelf)
    for _ in range(2):
        shelf = pool.acquire()
        assert (type(shelf.rows), type(shelf.names), type(shelf.data)) == (list, set, dict)
        shelf.rows, shelf.names, shelf.data = other(), other(), other()
        pool.release(shelf)
        del shelf


def test_weakly_held_set_never_reaches_the_next_request():
    """H06: a weak reference does not count, but whoever has one can read what the next request puts in."""
    pool = ObjectPool(Shelf)
    shelf = pool.acquire()
    shelf.names.add("spam")
    holder = weakref.ref(shelf.names)
    pool.release(shelf)
    del shelf
    shelf = pool.acquire()
    assert pool.get_stats().hits == 1
    assert holder() is not shelf.names


BUILT: list[int] = []


@SHOWN
def test_vouched_part_is_reused():
    """The point of reset=: it is not built again while nobody else holds it."""
    pool = ObjectPool(Shop)
    built = []
    for _ in range(5):
        holder = [pool.acquire()]
        assert holder[0].rows == []
        holder[0].rows.append("spam")
        pool.release(holder.pop())
        built.append(len(BUILT))
    assert built == [built[0]] * 5


def test_vouched_part_that_is_held_is_rebuilt():
    """H43: and its holder keeps it as it was."""
    pool = ObjectPool(Shop)
    holder = [pool.acquire()]
    basket, rows = holder[0].basket, holder[0].rows
    basket.items.append("spam")
    rows.append("eggs")
    pool.release(holder.pop())
    assert (basket.items, rows) == (["spam"], ["eggs"])
    ctx = pool.acquire()
    assert ctx.basket is not basket
    assert ctx.rows is not rows


@SHOWN
def test_vouched_part_that_is_held_later_is_rebuilt():
    """H06 H43: whoever gets hold of it while the context rests."""
    pool = ObjectPool(Shop)
    pool.release(pool.acquire())
    basket = pool._idle[0].basket
    assert pool.acquire().basket is not basket


@pytest.mark.parametrize("other", [{}, (), None, "text", Cart()])
def test_vouched_field_never_keeps_what_is_not_the_factorys(other):
    """Invariant 1: an object of another type is no "good as new" list, though it has a clear() as well."""
    pool = ObjectPool(Shop)
    for _ in range(2):
        holder = [pool.acquire()]
        assert type(holder[0].rows) is list
        holder[0].rows = {} if other == {} else other
        pool.release(holder.pop())


class Picky:
    broken = False

    def reset(self):
        if self.broken:
            raise ValueError("cannot")


class PickyShop(Context):
    part: Picky = field(factory=Picky, reset=Picky.reset)


@SHOWN
def test_failing_reset_rebuilds_the_part(caplog):
    """H29: counted and logged; the context is as new."""
    pool = ObjectPool(PickyShop)
    holder = [pool.acquire()]
    holder[0].part.broken = True
    pool.release(holder.pop())
    assert not pool.acquire().part.broken
    assert pool.get_stats().reset_errors == 1
    assert "pool 'PickyShop': a field's reset failed; the field is rebuilt" in caplog.text
