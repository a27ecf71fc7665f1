"""Objects that know nothing of pools: whoever keeps one and writes to it later reaches nobody else."""

import signal
import threading

import gevent
import pytest
from pool_samples import Tool, check_books, tool_pool

from poolware import ConfigurationError, Context, ObjectPool, RequestContext, field
from poolware.errors import AlreadyLeased
from poolware.web.lifecycle import Lifecycle


def later(write, go, done):
    go.wait(10)
    write.pop()()
    done.set()


@pytest.mark.parametrize("borrowed", [True, False])
def test_a_thread_that_writes_after_the_release_and_lets_go(borrowed):
    """H06: there is nothing to seal, so the object is reset once more when nobody holds it."""
    pool = ObjectPool(dict, reset=dict.clear)
    go, done = threading.Event(), threading.Event()
    lifecycle, scope = Lifecycle(RequestContext), {}
    scratch = lifecycle.begin(scope).borrow(pool) if borrowed else pool.acquire()
    write = [lambda scratch=scratch: scratch.update(password="geheim")]
    thread = threading.Thread(target=later, args=(write, go, done))
    thread.start()
    if borrowed:
        del scratch
        lifecycle.finish(scope)
    else:
        pool.release(scratch)
        del scratch
    go.set()
    thread.join()
    assert done.is_set()
    assert pool.get_stats().idle == 1
    assert pool.acquire() == {}
    assert check_books(pool).hits == 1


def test_the_caller_itself_writes_after_the_release():
    pool = ObjectPool(list, reset=list.clear)
    rows = pool.acquire()
    pool.release(rows)
    rows.append("too late")
    del rows
    assert pool.acquire() == []


def test_what_only_the_request_held_is_reset_once():
    """The second reset is for what others held."""
    pool = tool_pool()
    lifecycle, scope = Lifecycle(RequestContext), {}
    lifecycle.begin(scope).borrow(pool)
    lifecycle.finish(scope)
    assert pool.acquire().resets == 1


def test_a_second_reset_that_fails_discards():
    """H29."""
    pool = tool_pool()
    tool = pool.acquire()
    pool.release(tool)
    tool.broken = True
    del tool
    assert not pool.acquire().broken
    stats = check_books(pool)
    assert (stats.reset_errors, stats.created) == (1, 2)


class Interrupt(BaseException):
    pass


def interrupted(_obj):
    raise Interrupt


class Vouched(Context):
    tool: Tool = field(factory=Tool, reset=interrupted)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ObjectPool(Tool, reset=interrupted, max_idle=3),
        lambda: ObjectPool(Tool, reset=None, validate=interrupted, max_idle=3),
        lambda: ObjectPool(Vouched, max_idle=3),
    ],
    ids=["reset", "validate", "vouched"],
)
def test_an_interrupt_costs_no_room(make):
    """H18, H29: however often, the pool goes on keeping objects."""
    pool = make()
    for _ in range(10):
        try:
            pool.release(pool.acquire())
            pool.acquire()
        except Interrupt:
            pass
    stats = pool.get_stats()
    assert (stats.idle > 0) or pool._has_room()


def test_a_greenlet_that_is_stopped_in_a_reset():
    """H34: gevent's Timeout may strike wherever a hook waits."""
    slow = [True]
    pool = ObjectPool(Tool, reset=lambda tool: gevent.sleep(0.05) if slow[0] else tool.reset(), max_idle=3)

    def work():
        with gevent.Timeout(0.01, False), pool.lease():
            pass

    for _ in range(5):
        gevent.spawn(work).join()
    slow[0] = False
    with pool.lease():
        pass
    assert pool.get_stats().idle == 1


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no such signals here")
def test_signals_that_raise_anywhere_cost_no_room():
    """H35."""
    pool = ObjectPool(Vouchless, max_idle=8)

    def strike(_number, _frame):
        raise Interrupt

    before = signal.signal(signal.SIGALRM, strike)
    struck = 0
    try:
        for _ in range(200):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0005)
                while True:
                    pool.release(pool.acquire())
            except Interrupt:
                struck += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert struck == 200
    pool.get_stats()
    for _ in range(3):
        pool.release(pool.acquire())
    assert pool.get_stats().idle >= 1


class Vouchless(Context):
    rows: list[int] = field(factory=list)


SHARED = Tool()


@pytest.mark.parametrize("factory", [lambda: SHARED, lambda: None])
def test_a_factory_that_builds_nothing_new(factory):
    """Two would have the same object: refused when the second asks for it."""
    pool = ObjectPool(factory, reset=None, name="shared")
    first = pool.acquire()
    with pytest.raises(ConfigurationError, match="pool 'shared': the factory returned an object that is in use"):
        pool.acquire()
    pool.release(first)


def test_a_lease_is_for_one_block():
    pool = tool_pool()
    lease = pool.lease()
    with lease, pytest.raises(AlreadyLeased, match="each `with` takes one of its own"):
        lease.__enter__()
    with lease:
        pass
    assert check_books(pool).in_use == 0
