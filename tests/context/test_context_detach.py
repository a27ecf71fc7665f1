"""detach(): a copy that belongs to nobody, for work that outlives the response."""

import copy
import pickle

import pytest
from fresh_or_reused import mutable_ids
from requests_sample import AppContext, http_scope

from poolware import Context, ObjectPool, field


@pytest.fixture
def detached():
    pool = ObjectPool(AppContext)
    ctx = pool.acquire()
    ctx.tenant, ctx.request_id, ctx.email, ctx.token = "acme", "r-1", "me@x", "abc"
    ctx.params["page"] = 1
    ctx.roles.add("admin")
    ctx.cart.items.append("spam")
    ctx.basket.items.append("eggs")
    ctx.grants["all"] = True
    copied = ctx.detach()
    pool.release(ctx)
    return copied


def check(ctx):
    assert (ctx.tenant, ctx.request_id, ctx.params, ctx.roles) == ("acme", "r-1", {"page": 1}, {"admin"})
    assert (ctx.cart.items, ctx.basket.items) == (["spam"], ["eggs"])


def test_values_survive_the_release(detached):
    check(detached)


def test_sensitive_fields_have_their_defaults(detached):
    """H15: also after a pickle."""
    for ctx in (detached, pickle.loads(pickle.dumps(detached))):
        assert (ctx.email, ctx.grants, ctx.token.reveal()) == (None, {}, b"")


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {n}": lambda ctx, n=n: pickle.loads(pickle.dumps(ctx, n)) for n in range(pickle.HIGHEST_PROTOCOL + 1)},
    "detach": AppContext.detach,
}


@pytest.mark.parametrize("how", COPIES)
def test_detached_context_can_be_copied(how, detached):
    """With all of its values; the request id is one of them."""
    copied = COPIES[how](detached)
    check(copied)
    assert copied is not detached
    assert isinstance(copied, AppContext)
    assert repr(copied).startswith("<AppContext")
    assert repr(copied).endswith("detached>")
    check(COPIES[how](copied))


def test_containers_are_copied():
    """H08: what the context empties or resets must not be what the copy holds."""
    ctx = AppContext()
    detached = ctx.detach()
    assert not mutable_ids(ctx) & mutable_ids(detached) - mutable_ids(ctx.cart)
    ctx.params["late"] = ctx.roles.add("late")
    assert (detached.params, detached.roles) == ({}, set())


def test_detached_copy_keeps_what_the_context_drops():
    """What is neither emptied nor reset is the same object."""
    ctx = AppContext()
    assert ctx.detach().cart is ctx.cart
    assert ctx.detach().basket is not ctx.basket


def test_request_id_is_made_before_it_is_copied():
    pool = ObjectPool(AppContext)
    ctx = pool._kind.cycle.begin(http_scope("/", (b"x-request-id", b"from-client")))
    assert ctx.detach().request_id == "from-client"
    fresh = AppContext()
    assert fresh.detach().request_id == fresh.request_id


def test_detached_copy_is_never_taken_for_the_original():
    pool = ObjectPool(AppContext)
    ctx = pool.acquire()
    with pytest.raises(RuntimeError):
        pool.release(ctx.detach())
    pool.release(ctx)


class Job(Context):
    rows: list[int] = field(factory=list)


def test_context_outside_of_requests_can_be_detached():
    job = Job(rows=[1])
    copied = pickle.loads(pickle.dumps(job.detach()))
    job.rows.clear()
    assert copied.rows == [1]
