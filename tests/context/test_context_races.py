"""A holder that goes on writing while the context goes back never dirties the next request."""

import contextlib
import threading
from typing import Any

import pytest
from fresh_or_reused import Cart, differences
from requests_sample import AppContext, http_scope

from poolware import Context, ContextReleased, ObjectPool, RequestContext, SecretReleased, field
from poolware._core.proof import ARGUMENT_SHOWS_CALLER

SHOWN = pytest.mark.skipif(
    not ARGUMENT_SHOWS_CALLER, reason="what is released by hand counts as held where the caller does not show: 3.14"
)


WRITES = {
    "value": lambda ctx: setattr(ctx, "tenant", "late"),
    "replaced container": lambda ctx: setattr(ctx, "params", {"late": 1}),
    "container": lambda ctx: ctx.roles.add("late"),
    "vouched part": lambda ctx: ctx.basket.items.append("late"),
    "replaced vouched part": lambda ctx: setattr(ctx, "basket", dirty_cart()),
    "secret": lambda ctx: setattr(ctx, "token", "late"),
    "request id": lambda ctx: setattr(ctx, "request_id", "late"),
}


def dirty_cart():
    cart = Cart()
    cart.items.append("late")
    return cart


class Gate:
    """Lets a value's own end, in the middle of a release, run a write of somebody who holds the context."""

    def __init__(self, write: Any) -> None:
        self.write = write

    def __del__(self) -> None:
        with contextlib.suppress(
            ContextReleased, SecretReleased, AttributeError
        ):  # AttributeError: a part that is gone
            self.write(HOLDERS[0])


HOLDERS: list[Any] = []


class Gated(AppContext):
    aaa: Any = None
    zzz: Any = None


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("gate", ["user", "response", "aaa", "zzz"])
@pytest.mark.parametrize("through", ["release", "finish"])
def test_write_in_the_middle_of_a_release(write, gate, through):
    """H06: at several points between the first and the last field; without luck, as one thread plays both parts."""
    pool, scope = ObjectPool(Gated), http_scope()
    HOLDERS[:] = [pool._kind.cycle.begin(scope)]
    setattr(HOLDERS[0], gate, Gate(WRITES[write]))
    if through == "release":
        scope.clear()
        pool.release(HOLDERS[0])
    else:
        pool._kind.cycle.finish(scope)
    HOLDERS.clear()
    following = [pool.acquire(), pool.acquire(), pool.acquire()]
    assert pool.get_stats().hits == 1
    assert [text for ctx in following[:2] for text in differences(ctx, following[2])] == []


class Lender:
    """A pool that counts."""

    lent = back = 0

    def acquire(self):
        self.lent += 1
        return self

    def release(self, _obj):
        self.back += 1


class PlainGated(RequestContext):
    aaa: Any = None
    zzz: Any = field(default=None, sensitive=True)


@pytest.mark.parametrize("cls", [Gated, PlainGated])
@pytest.mark.parametrize("gate", ["user", "response", "aaa", "zzz"])
@pytest.mark.parametrize("through", ["release", "finish"])
@pytest.mark.parametrize("held_on", [False, True])
def test_borrowing_in_the_middle_of_a_release(cls, gate, through, held_on):
    """H06 invariant 4: is refused, or given back; never forgotten."""
    pool, scope, lender = ObjectPool(cls), http_scope(), Lender()
    HOLDERS[:] = [pool._kind.cycle.begin(scope)]
    setattr(HOLDERS[0], gate, Gate(lambda ctx: ctx.borrow(lender)))
    if through == "release":
        scope.clear()
        pool.release(HOLDERS[0])
    else:
        pool._kind.cycle.finish(scope)
    following = [pool.acquire()] if held_on else []
    HOLDERS.clear()
    following += [pool.acquire(), pool.acquire()]
    assert {ctx._lent for ctx in following} == {None}
    assert lender.back == lender.lent


@pytest.mark.usefixtures("fast_switching")
@pytest.mark.parametrize("write", WRITES)
def test_thread_that_writes_in_a_loop(write):
    """H06: two threads; the next request's context is pristine when it starts and stays what it makes of it."""
    pool = ObjectPool(AppContext)
    holder: list[Any] = []
    stop = threading.Event()

    def write_on() -> None:
        while not stop.is_set():
            with contextlib.suppress(ContextReleased, SecretReleased, AttributeError, IndexError):
                WRITES[write](holder[0])

    thread = threading.Thread(target=write_on)
    thread.start()
    try:
        for _ in range(60):
            holder[:] = [pool.acquire()]
            pool.release(holder[0])
            following = pool.acquire()
            seen = differences(following, AppContext())
            assert [text for text in seen if "_home" not in text and "'_secret__token'" not in text] == []
            assert following.token.reveal() == b""
            pool.release(following)
            del following
            holder.clear()
    finally:
        stop.set()
        thread.join()


class Job(Context):
    rows: list[Any] = field(factory=list)
    note: Any = None


@SHOWN
@pytest.mark.parametrize("name", ["rows", "note"])
def test_what_was_dirtied_while_resting_is_not_handed_out(name):
    """H06: the check before reuse; here the pool's own list is used to get at what rests."""
    pool = ObjectPool(Job)
    pool.release(pool.acquire())
    identity = id(pool._idle[0])
    setattr(pool._idle[0], name, ["late"])
    jobs = [pool.acquire() for _ in range(3)]
    assert identity in map(id, jobs)
    assert [(job.rows, job.note) for job in jobs] == [([], None)] * 3


def test_context_whose_home_was_overwritten_finds_back():
    """Even a slot that never resets is checked, and put right."""
    pool = ObjectPool(Job)
    held = [pool.acquire()]
    identity = id(held[0])
    held[0]._home = None
    pool.release(held.pop())
    held += [pool.acquire() for _ in range(3)]
    assert identity in {id(job) for job in held}
    assert {id(job._home) for job in held} == {id(pool)}


@pytest.mark.parametrize("through", ["release", "finish", "finish while held"])
def test_secrets_are_wiped_before_anything_else(through):
    """Invariant 2: whatever a value's end does or raises, the secrets are gone by then."""

    class Last:
        def __del__(self):
            seen.append(bytes(memory))

    seen: list[bytes] = []
    pool, scope = ObjectPool(AppContext), http_scope()
    holders = [pool._kind.cycle.begin(scope)]
    holders[0].user, holders[0].token = Last(), "geheim"
    memory = holders[0].token._memory.obj
    if through == "release":
        scope.clear()
        pool.release(holders.pop())
    else:
        holders = holders if through == "finish while held" else []
        pool._kind.cycle.finish(scope)
    assert seen == [bytes(len(memory))]
