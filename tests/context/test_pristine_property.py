"""A context that is handed out again cannot be told from a newly built one, whatever was written into it."""

import logging
from typing import Any

import pytest
from fresh_or_reused import Cart, Mark, differences, mutable_ids, reachable
from generated_contexts import WRITES, context_classes
from hypothesis import given, settings
from hypothesis import strategies as st

from poolware import Context, ObjectPool, RequestContext, SecretField, field, secret

ALL_CLASSES = context_classes(st.sampled_from([Context, RequestContext]))
REQUEST_CLASSES = context_classes(st.just(RequestContext))


@pytest.fixture(scope="module", autouse=True)
def _no_log_records():
    """A record of a failed reset has a traceback, and pytest keeps records: it would hold the context."""
    logging.getLogger("poolware").setLevel(logging.CRITICAL + 1)
    yield
    logging.getLogger("poolware").setLevel(logging.NOTSET)


def shared_outside() -> dict[str, Any]:
    """Containers that the application shares between requests."""
    return {"<shared list>": ["theirs", []], "<shared dict>": {"theirs": {}}}


def check_next(pool: ObjectPool[Any], identity: int, shared: dict[str, Any]) -> None:
    """The next object is the same one, and equals one that is built then; nothing of it is anybody else's."""
    reused = pool.acquire()
    built = pool.get_stats().created
    new = pool.acquire()
    assert pool.get_stats().created == built + 1
    assert id(reused) == identity
    assert differences(reused, new) == []
    assert not any(isinstance(here, Mark) for here in reachable(reused))
    assert not mutable_ids(reused) & (mutable_ids(shared) | mutable_ids(new))
    assert shared == shared_outside()


@given(ALL_CLASSES, WRITES, st.sampled_from(["nobody", "the caller", "somebody else"]))
@settings(max_examples=200, deadline=None)
def test_released_context_is_as_good_as_new(cls, writes, holder):
    """H01 H02 H04 H05 H06: fields of every kind are as new; what is shared elsewhere is left alone."""
    pool, shared = ObjectPool(cls), shared_outside()
    ctx = pool.acquire()
    identity, holders, others = id(ctx), [ctx], []
    writes.apply(ctx, shared)
    if holder == "nobody":
        del ctx
        pool.release(holders.pop())
    else:
        if holder == "the caller":
            holders.clear()
        pool.release(ctx)
        others.append(pool.acquire())
        assert id(others[0]) != identity
        holders.clear()
        del ctx
    check_next(pool, identity, shared)


@given(REQUEST_CLASSES, WRITES, st.booleans())
@settings(max_examples=150, deadline=None)
def test_finished_request_leaves_its_context_as_good_as_new(cls, writes, held):
    """H01 H02 H04 H05 H06: the same through begin and finish, with and without somebody holding the context."""
    pool, shared = ObjectPool(cls), shared_outside()
    cycle = pool._kind.cycle
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    before = dict(scope)
    holders, others = [cycle.begin(scope)], []
    identity = id(holders[0])
    writes.apply(holders[0], shared)
    if not held:
        holders.clear()
    cycle.finish(scope)
    assert scope == before
    if held:
        others.append(pool.acquire())
        assert id(others[0]) != identity
        holders.clear()
    check_next(pool, identity, shared)


@given(ALL_CLASSES, WRITES)
@settings(max_examples=100, deadline=None)
def test_parts_held_by_somebody_never_reach_the_next_request(cls, writes):
    """H06: whatever was taken out of a context stays with its holder, and only there."""
    pool = ObjectPool(cls)
    ctx = pool.acquire()
    identity = id(ctx)
    writes.apply(ctx, shared_outside())
    names = list(cls.__poolware_fields__)
    held = [part for part in (getattr(ctx, name) for name in names) if part is not ctx]
    held = [part for part in held if not any(here is ctx for here in reachable(part))]
    pool.release(ctx)
    del ctx
    reused = pool.acquire()
    assert id(reused) == identity
    assert differences(reused, pool.acquire()) == []
    for name in names:
        getattr(reused, name)  # a secret is made when it is first asked for
    assert not mutable_ids(reused) & mutable_ids(held)


class Everything(Context):
    number: int = 0
    rows: list[Any] = field(factory=list)
    cart: Cart = field(factory=Cart)
    token: SecretField = secret()


SHARED_ROWS: list[Any] = []
TRACES = {
    "a value": lambda ctx: setattr(ctx, "number", 1),
    "a type": lambda ctx: setattr(ctx, "number", 0.0),
    "an item": lambda ctx: ctx.rows.append(1),
    "a nested item": lambda ctx: ctx.cart.items.append(Mark()),
    "an undeclared attribute of a part": lambda ctx: setattr(ctx.cart, "extra", 1),
    "a part of another type": lambda ctx: setattr(ctx, "rows", {}),
    "a secret": lambda ctx: setattr(ctx, "token", "abc"),
    "an internal slot": lambda ctx: setattr(ctx, "_request_id", "abc"),
}


@pytest.mark.parametrize("trace", TRACES)
def test_the_walker_of_these_tests_notices(trace):
    ctx = Everything()
    TRACES[trace](ctx)
    assert len(differences(ctx, Everything())) == 1
    assert differences(Everything(), Everything()) == []


def test_the_walker_of_these_tests_notices_a_shared_part():
    first, second = Everything(rows=SHARED_ROWS), Everything(rows=SHARED_ROWS)
    assert differences(first, second) == ["object.('Everything', 'rows'): one <class 'list'> for two contexts"]
    assert mutable_ids(first) & mutable_ids(second) == {id(SHARED_ROWS)}
