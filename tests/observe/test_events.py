"""Events: what happens in pools is told to whoever subscribes, and costs nothing while nobody does."""

import gc
import os
import sys
import threading
import time
import weakref

import pytest

from poolware import BufferPool, Lifecycle, ObjectPool, RequestContext, ResourcePool, field
from poolware.errors import BadOption, PoolTimeout, ReleaseError
from poolware.observe.events import EVENTS, Collector, subscribe
from poolware.pools.kinds import ContextKind

NEVER = 3600.0


class Order(RequestContext):
    tenant: str = ""
    email: str | None = field(default=None, sensitive=True)


def scope():
    return {"type": "http", "method": "GET", "path": "/orders", "headers": []}


POOLS = {
    "contexts": lambda **options: ObjectPool(Order, **options),
    "tools": lambda **options: ObjectPool(bytearray, reset=bytearray.clear, **options),
    "resources": lambda **options: ResourcePool(bytearray, **{"min_size": 0, "name": "bytearray"} | options),
}


@pytest.fixture(params=[True, False], ids=["this core", "plain"], autouse=True)
def core(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(ContextKind, "_compiled", False)


@pytest.fixture(params=POOLS.values(), ids=POOLS)
def make(request):
    return request.param


def use(pool):
    pool.release(pool.acquire())


def kinds(collector):
    return [event.kind for event in collector.take()]


def test_each_get_and_put_is_told(make):
    pool = make()
    use(pool)
    with subscribe(pool, kinds=("get", "put")) as events:
        for _ in range(3):
            use(pool)
    told = events.take()
    assert [event.kind for event in told] == ["get", "put"] * 3
    assert {(event.pool, event.size, event.type) for event in told} in [
        {(pool.name, 1, "Order")},
        {(pool.name, 1, "bytearray")},
    ]
    assert all(event.duration >= 0 and abs(event.time - time.time()) < NEVER for event in told)
    assert events.take() == []


def test_also_to_those_who_kept_the_functions(make):
    """As a middleware does with ``begin`` and ``finish``."""
    pool = make()
    acquire, release = pool.acquire, pool.release
    with subscribe(pool, kinds=("get", "put")) as events:
        release(acquire())
        assert kinds(events) == ["get", "put"]
    release(acquire())
    assert kinds(events) == []


def test_requests_are_told():
    lifecycle = Lifecycle(Order)
    begin, finish = lifecycle.begin, lifecycle.finish
    with subscribe(lifecycle.pool, lifecycle.buffers, kinds=("get", "put")) as events:
        carrier = scope()
        begin(carrier).buffer(100)
        finish(carrier)
    assert [(event.kind, event.type, event.size) for event in events.take()] == [
        ("get", "Order", 1),
        ("get", "Buffer", 1024),
        ("put", "Buffer", 1024),
        ("put", "Order", 1),
    ]


def test_objects_are_reused_and_checked_while_somebody_watches(make):
    pool = make()
    use(pool)
    with subscribe(pool):
        for _ in range(10):
            use(pool)
    use(pool)
    stats = pool.get_stats()
    assert (stats.created, stats.acquired, stats.released) == (1, 12, 12)


def test_a_context_that_is_held_is_told_once_and_not_reused():
    """H06: watching takes no protection away, on any of the ways in which a use ends."""
    lifecycle = Lifecycle(Order)
    with subscribe(lifecycle.pool, kinds=("get", "put")) as events:
        carrier = scope()
        held = lifecycle.begin(carrier)
        lifecycle.finish(carrier)
        assert lifecycle.pool.get_stats().quarantined == 1
        carrier = scope()
        ctx = lifecycle.begin(carrier)
        assert ctx is not held
        del ctx.email  # its reset raises
        del ctx
        lifecycle.finish(carrier)
    assert kinds(events) == ["get", "put"] * 2
    del held
    assert lifecycle.pool.get_stats().quarantined == 0


def test_nothing_is_left_behind_when_nobody_watches_any_more(make):
    """What an acquisition and a release call is what it was."""
    pool = make()
    use(pool)

    def calls():
        seen = []

        def note(frame, event, argument):
            if event in {"call", "c_call"}:
                seen.append(frame.f_code.co_name if event == "call" else argument.__name__)

        sys.setprofile(note)
        try:
            use(pool)
        finally:
            sys.setprofile(None)
        return seen

    before = calls()
    first, second = subscribe(pool), subscribe(pool, kinds=("put",))
    assert len(calls()) > len(before)
    first.close()
    first.close()
    assert len(calls()) > len(before)
    second.close()
    assert calls() == before


def test_what_is_rare_is_told_without_a_detour(make):
    pool = make()
    use(pool)
    with subscribe(pool, kinds=set(EVENTS) - {"get", "put"}):
        assert getattr(pool, "_detour", None) is None
    with subscribe(pool) as events:
        pool.resize(max_size=3) if isinstance(pool, ResourcePool) else pool.resize(0)
        pool.clear()
    assert [(event.kind, event.size) for event in events.take() if event.kind in {"resize", "shrink", "clear"}] in (
        [("resize", 3), ("clear", 1)],
        [("resize", 0), ("shrink", 1), ("clear", 0)],
    )


def test_an_object_pool_tells_what_becomes_of_its_objects():
    pool = ObjectPool(bytearray, reset=bytearray.clear, max_idle=1, idle_timeout=NEVER)
    with subscribe(pool) as events:
        one, two = pool.acquire(), pool.acquire()
        assert kinds(events) == ["create", "get", "create", "exhaust", "get"]
        pool.release(two)
        pool.release(one)
        assert kinds(events) == ["put", "drop", "put"]
        pool._let_go(1)
        assert [(event.kind, event.size) for event in events.take()] == [("evict", 1)]
        pool.prewarm(1)
        assert [(event.kind, event.size) for event in events.take()] == [("create", 1), ("grow", 1)]
    pool.close()


def test_escapes_are_told():
    pool = ObjectPool(Order, max_quarantine=1)
    held = [pool.acquire() for _ in range(2)]
    with subscribe(pool, kinds=("escape",)) as events:
        for ctx in held:
            alias = ctx
            pool.release(ctx)
        assert kinds(events) == ["escape"]
        assert alias is held[-1]


def test_a_resource_pool_tells_what_becomes_of_its_resources():
    pool = POOLS["resources"](max_size=1)
    with subscribe(pool) as events:
        resource = pool.acquire()
        with pytest.raises(PoolTimeout):
            pool.acquire(timeout=0)
        pool.release(resource, failed=True)
        told = events.take()
    assert [event.kind for event in told] == ["create", "get", "exhaust", "timeout", "put", "destroy"]
    assert {event.type for event in told if event.kind not in {"exhaust", "timeout"}} == {"bytearray"}
    pool.close()


def test_evictions_are_told():
    pool = POOLS["resources"](eviction=lambda _: True)
    use(pool)
    with subscribe(pool, kinds=("evict", "destroy")) as events:
        pool._look_after()
    assert kinds(events) == ["evict", "destroy"]


def test_what_finds_no_room_is_dropped_and_counted(make):
    """Nobody waits for a collector."""
    pool = make()
    with subscribe(pool, kinds=("get", "put"), limit=3) as events:
        for _ in range(5):
            use(pool)
        assert (len(events), events.dropped) == (3, 7)
        assert kinds(events) == ["get", "put", "get"]
        use(pool)
        assert len(events) == 2
        events.reset()
        assert (len(events), events.dropped) == (0, 0)
        use(pool)
        assert kinds(events) == ["get", "put"]


def test_threads_are_told_of_exactly(make):
    """H34. None is lost, none is told twice, while collectors come and go."""
    pool, done = make(), threading.Event()

    def come_and_go():
        while not done.is_set():
            subscribe(pool).close()

    def work():
        for _ in range(100):
            use(pool)

    restless = threading.Thread(target=come_and_go)
    workers = [threading.Thread(target=work) for _ in range(4)]
    with subscribe(pool, kinds=("get", "put"), limit=500) as events:
        restless.start()
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
        done.set()
        restless.join()
    assert len(events) + events.dropped == 800
    stats = pool.get_stats()
    assert (stats.acquired, stats.released, stats.in_use) == (400, 400, 0)


def test_a_finalizer_may_use_the_pool_and_the_collector(make):
    """H35."""
    pool = make()
    events = subscribe(pool)

    class Finalizer:
        def __del__(self):
            use(pool)
            events.take()

    finalizer = Finalizer()
    finalizer.itself = finalizer
    pool_object = pool.acquire()
    del finalizer
    gc.collect()
    pool.release(pool_object)
    assert kinds(events) == ["put"]
    events.close()


def test_a_pool_is_not_kept_by_its_collector_once_closed(make):
    pool = make()
    events = subscribe(pool)
    use(pool)
    events.close()
    gone = weakref.ref(pool)
    if isinstance(pool, ResourcePool):
        pool.close()
    del pool
    gc.collect()
    assert gone() is None
    assert len(events) >= 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_goes_on_telling(make):
    """H26."""
    pool = make()
    events = subscribe(pool, kinds=("get", "put"))
    with events._lock:
        child = os.fork()
        if not child:
            try:
                use(pool)
                os._exit(0 if kinds(events) == ["get", "put"] else 1)
            finally:
                os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    events.close()


def test_a_buffer_pool_tells():
    pool = BufferPool()
    with pool.lease(10), subscribe(pool) as events:
        with pool.lease(5000):
            pass
        pool.clear()
    assert [(event.kind, event.size, event.duration is None) for event in events.take()] == [
        ("get", 16384, False),
        ("put", 16384, False),
        ("clear", 1, True),
    ]


def test_bad_input():
    """H40."""
    with pytest.raises(BadOption, match="pools=17"):
        subscribe(17)
    with pytest.raises(BadOption, match="kinds='got'"):
        Collector(["got"])
    with pytest.raises(BadOption, match="limit=0"):
        subscribe(limit=0)
    pool = ObjectPool(dict, reset=dict.clear)
    with pytest.raises(BadOption, match="pools=None"):
        subscribe(pool, None)
    assert pool._events.heard == frozenset()


def test_a_release_that_nobody_heard_leaves_nothing_behind(make):
    """What has the same id later is another object, with a time of its own."""
    pool = make()
    with subscribe(pool):
        held = pool.acquire()
    pool.release(held)
    if not isinstance(pool, ResourcePool):
        assert pool._ledger.notes() == {}
        held = pool.acquire()
        with subscribe(pool) as events:
            pool.release(held)
        (event,) = events.take()
        assert (event.kind, event.duration) == ("put", None)


@pytest.mark.parametrize("mode", ["off", "debug"])
def test_modes_without_reuse_tell_too(monkeypatch, mode):
    monkeypatch.setenv("POOLWARE_MODE", mode)
    for make in (POOLS["contexts"], POOLS["tools"]):
        pool = make()
        with subscribe(pool, kinds=("create", "get", "put")) as events:
            use(pool)
            use(pool)
        assert kinds(events) == ["create", "get", "put"] * 2
        stats = pool.get_stats()
        assert (stats.acquired, stats.released, stats.misses) == (2, 2, 2)


def test_every_other_store_tells_too():
    for store in ("fifo", "thread", "sharded", "gc_victims"):
        pool = ObjectPool(Order, store=store)
        use(pool)
        with subscribe(pool, kinds=("create", "get", "put")) as events:
            use(pool)
        assert kinds(events) == ["get", "put"]
        assert pool.get_stats().created == 1


def test_an_object_beyond_the_bound_is_told_when_it_comes_back():
    pool = ObjectPool(Order, max_idle=4)
    with subscribe(pool, kinds=("get", "put", "drop")) as events:
        held = pool.acquire()
        pool.resize(0)
        pool.release(held)
    assert kinds(events) == ["get", "put", "drop"]


def test_a_reset_that_fails_is_told_as_a_put():
    pool = ObjectPool(dict, reset=lambda _: 1 / 0)
    with subscribe(pool, kinds=("get", "put")) as events:
        use(pool)
    assert kinds(events) == ["get", "put"]
    assert pool.get_stats().reset_errors == 1


def test_a_refused_release_is_not_told(make):
    """H12."""
    pool = make()
    resource = pool.acquire()
    pool.release(resource)
    with subscribe(pool) as events:
        for foreign in (resource, object()):
            with pytest.raises(ReleaseError):
                pool.release(foreign)
    assert kinds(events) == []


def test_what_comes_back_from_quarantine_is_told_once():
    pool = ObjectPool(Order)
    held = pool.acquire()
    alias = held
    pool.release(held)
    with subscribe(pool, kinds=("create", "get", "put")) as events:
        del held, alias
        use(pool)
    assert kinds(events) == ["get", "put"]
    assert pool.get_stats().created == 1
