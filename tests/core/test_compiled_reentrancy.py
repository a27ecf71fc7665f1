"""Code of the application that the compiled core calls in the middle of something may call anything: H35."""

import gc
import os
from typing import Any

import pytest
from twins import COMPILED, on

from poolware import Context, Lifecycle, ObjectPool, ReleaseError, RequestContext, field
from poolware.errors import PoolwareError

pytestmark = COMPILED


ONLY_COMPILED = pytest.mark.parametrize("twin", ["compiled"], indirect=True)  # the plain twin keeps no containers


@pytest.fixture(params=["compiled", "python"], autouse=True)
def twin(request):
    """The plain twin too: the compiled one has no behaviour of its own."""
    with on(request.param):
        yield request.param


class Ends:
    """Does something when it is let go of."""

    def __init__(self, action):
        self.action = action

    def __del__(self):
        self.action()


class Job(Context):
    secretly: list[Any] = field(factory=list, sensitive=True)
    first: Any = None
    rows: list[Any] = field(factory=list)
    names: set[Any] = field(factory=set)
    data: dict[Any, Any] = field(factory=dict)
    last: Any = None


PARTS = ("secretly", "first", "rows", "names", "data", "last")


def put(job, name, value):
    match getattr(job, name):
        case list() as rows:
            rows.append(value)
        case set() as names:
            names.add(value)
        case dict() as data:
            data["k"] = value
        case _:
            setattr(job, name, value)


def fork():
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


ACTIONS = {
    "acquires and releases": lambda pool, job: pool.release(pool.acquire()),
    "acquires many": lambda pool, job: [pool.acquire() for _ in range(40)],
    "releases the same": lambda pool, job: pool.release(job),
    "clears": lambda pool, job: pool.clear(),
    "looks at statistics": lambda pool, job: pool.get_stats(),
    "collects": lambda pool, job: gc.collect(),
    "forks": lambda pool, job: fork(),
    "prewarms": lambda pool, job: pool.prewarm(30),
    "forgets what is lent": lambda pool, job: pool._kind.lent.clear(),
    "makes it rest": lambda pool, job: pool._idle.append(job),
    "lends it": lambda pool, job: pool._kind.lent.add(job),
    "goes through what is lent": lambda pool, job: [pool.acquire() for _ in pool._kind.lent],
}
ON_THE_POOL = [name for name in ACTIONS if not name.endswith((" it", " rest", " same"))]
ACTIONS |= {f"deletes {name}": (lambda pool, job, name=name: delattr(job, name)) for name in PARTS}
ACTIONS |= {f"replaces {name}": (lambda pool, job, name=name: setattr(job, name, [job])) for name in PARTS}
ACTIONS |= {f"writes to {name}": (lambda pool, job, name=name: put(job, name, 1)) for name in PARTS}


@pytest.mark.parametrize("place", PARTS)
@pytest.mark.parametrize("action", ACTIONS)
def test_finalizers_of_values_may_do_anything(place, action):
    """And whatever they did, the next contexts are as new and nobody else's."""
    pool = ObjectPool(Job)
    job = pool.acquire()
    done = []

    def act():
        try:
            ACTIONS[action](pool, job)
        except (PoolwareError, AttributeError) as error:
            done.append(type(error))
        done.append(action)

    put(job, place, Ends(act))
    with_all = [name for name in PARTS if name != place]
    for name in with_all:
        put(job, name, "x")
    pool.release(job)
    assert action in done
    pristine = [pool.acquire() for _ in range(3)]
    for one in pristine:
        assert one is not job
        assert [getattr(one, name) for name in PARTS] == [[], None, [], set(), {}, None]
    assert len({id(one) for one in pristine}) == 3
    for one in pristine:
        pool.release(one)


HOOKS: dict[str, Any] = {}


def called(hook, *args):
    return HOOKS[hook](*args)


class Parts(Context):
    """Its parts are made and reset by code that is set later."""

    rows: list[Any] = field(factory=list)
    rebuilt: Any = field(factory=lambda: called("factory"))
    kept: Any = field(factory=lambda: [0], reset=lambda part: called("reset", part))
    late: Any = None


@pytest.mark.parametrize("hook", ["factory", "reset"])
@pytest.mark.parametrize("action", ON_THE_POOL)
def test_hooks_may_do_anything(hook, action, monkeypatch):
    """Once, as they would call themselves."""
    monkeypatch.setitem(HOOKS, "factory", bytearray)
    monkeypatch.setitem(HOOKS, "reset", lambda part: None)
    pool = ObjectPool(Parts)
    for _ in range(2):
        with pool.lease():
            pass
    calls = []

    def act(*_part):
        calls.append(action)
        if len(calls) == 1:
            try:
                ACTIONS[action](pool, None)
            except PoolwareError as error:
                calls.append(type(error))
        return bytearray()

    monkeypatch.setitem(HOOKS, hook, act)
    given = [pool.acquire()]
    given[0].rows.append(1)
    pool.release(given.pop())
    assert calls
    one, other = pool.acquire(), pool.acquire()
    assert one is not other
    assert (one.rows, one.rebuilt, one.late) == ([], bytearray(), None)


@ONLY_COMPILED
def test_a_part_that_a_finalizer_has_found_is_not_used_again():
    pool = ObjectPool(Job)
    found = []
    given = [pool.acquire()]
    part = id(given[0].rows)
    given[0].rows.append(Ends(lambda: found.append(given[0].rows)))
    pool.release(given[0])
    given.clear()
    assert [id(one) for one in found] == [part]
    again = pool.acquire()
    assert id(again.rows) != part
    assert pool.get_stats().hits == 1
    assert gc.is_tracked(found[0])


@ONLY_COMPILED
def test_a_part_that_was_found_after_its_reset_is_shown_to_the_collector():
    """It had been hidden; its finder may put a cycle into it."""
    pool = ObjectPool(Job)
    found = []
    given = [pool.acquire()]
    given[0].last = Ends(lambda: found.append(given[0].rows))
    given[0].rows.append(1)
    pool.release(given[0])
    given.clear()
    again = pool.acquire()
    assert again.rows is not found[0]
    assert gc.is_tracked(found[0])


@ONLY_COMPILED
def test_an_interrupted_reset_shows_the_parts_to_the_collector():
    pool = ObjectPool(Job)
    found = []
    job = pool.acquire()
    job.rows.append(1)
    rows = Job.__poolware_plan__.members["rows"]
    job.secretly.append(Ends(lambda: found.append(rows.__get__(job))))
    del job.last
    pool.release(job)
    assert gc.is_tracked(found[0])


@pytest.mark.parametrize("name", PARTS)
def test_a_deleted_field_is_there_again(name):
    pool = ObjectPool(Job)
    with pool.lease() as job:
        delattr(job, name)
    del job
    again = pool.acquire()
    assert [getattr(again, each) for each in PARTS] == [[], None, [], set(), {}, None]


def test_the_error_of_a_reset_keeps_its_traceback(monkeypatch):
    """And whatever is raised while the pool deals with it has it for its context."""

    class Interrupted(BaseException):
        pass

    def reset(_part):
        raise Interrupted

    monkeypatch.setitem(HOOKS, "factory", bytearray)
    monkeypatch.setitem(HOOKS, "reset", reset)
    seen = []
    original = ObjectPool._spoilt

    def spoilt(self, obj, error):
        seen.append(error.__traceback__)
        original(self, obj, error)
        raise LookupError

    monkeypatch.setattr(ObjectPool, "_spoilt", spoilt)
    pool = ObjectPool(Parts)
    with pytest.raises(LookupError) as caught:
        pool.release(pool.acquire())
    assert isinstance(caught.value.__context__, Interrupted)
    frames = []
    while seen[0]:
        frames.append(seen[0].tb_frame.f_code.co_name)
        seen[0] = seen[0].tb_next
    assert frames[-1] == "reset"


def test_going_through_what_is_lent_survives_a_collection_that_acquires():
    """The list it is copied to is made first, and that may collect."""
    pool = ObjectPool(Job, max_idle=10_000)
    held = [pool.acquire() for _ in range(30)]
    used_up = [[] for _ in range(200)]  # the interpreter's own store of lists
    threshold = gc.get_threshold()
    try:
        for _ in range(8):
            loop = [Ends(lambda: held.extend(pool.acquire() for _ in range(40)))]
            loop.append(loop)
            del loop
            gc.set_threshold(1)
            known = list(pool._kind.lent)
            gc.set_threshold(*threshold)
            used_up.append(known)
            gc.collect()
    finally:
        gc.set_threshold(*threshold)
    assert len(set(map(id, pool._kind.lent))) == pool.get_stats().in_use == len(held)


def test_requests_end_when_their_carrier_is_let_go_of():
    """A finalizer finishes the request in the middle of the end of another."""
    lifecycle = Lifecycle(RequestContext)
    inner, outer = {}, {}
    lifecycle.begin(inner)
    lifecycle.begin(outer).params["k"] = Ends(lambda: (lifecycle.finish(inner), lifecycle.finish(outer)))
    lifecycle.finish(outer)
    stats = lifecycle.pool.get_stats()
    assert (stats.in_use, stats.idle, stats.released, stats.refused) == (0, 2, 2, 0)


def test_the_pool_may_go_in_the_middle_of_a_release():
    """Its last context has the last reference to it."""

    def release_last():
        lifecycle = Lifecycle(RequestContext)
        carrier = {}
        lifecycle.begin(carrier)
        finish = lifecycle.finish
        del lifecycle
        finish(carrier)
        return finish

    finish = release_last()
    gc.collect()
    finish({})
    del finish
    gc.collect()


def test_releasing_twice_from_a_finalizer_is_refused_once():
    pool = ObjectPool(Job)
    refused = []

    def again():
        with pytest.raises(ReleaseError) as caught:
            pool.release(job)
        refused.append(caught.type)

    job = pool.acquire()
    job.rows.append(Ends(again))
    pool.release(job)
    assert len(refused) == pool.get_stats().refused == 1
