"""What the garbage collector sees of the compiled core, and what it must be able to free."""

import ctypes
import enum
import gc
import sys
import weakref
from typing import Any, ClassVar

import pytest
from twins import COMPILED

from poolware import Context, Lifecycle, ObjectPool, RequestContext, field

pytestmark = COMPILED


class Part:
    def clear(self):
        """Nothing to do."""


class Job(Context):
    rows: list[Any] = field(factory=list)
    names: set[Any] = field(factory=set)
    data: dict[Any, Any] = field(factory=dict)
    note: Any = None


class Keeping(Context):
    part: Any = field(factory=Part, reset=Part.clear)


CONTAINERS = ("rows", "names", "data")


MANY = 40
"""Of so many at rest the lower ones are hidden, and the upper ones are not: they come and go with each request."""


def at(identity):
    """Return the object at an address: a look at what is hidden, as a store shows whatever is asked for."""
    return ctypes.cast(identity, ctypes.py_object).value


def fill(pool):
    """Have so many at rest that were used before."""
    jobs = [pool.acquire() for _ in range(MANY)]
    while jobs:
        pool.release(jobs.pop())


def test_idle_contexts_and_their_containers_are_hidden_from_the_collector():
    pool = ObjectPool(Job)
    jobs = [pool.acquire() for _ in range(MANY)]
    identity = id(jobs[0])
    kept = [id(getattr(jobs[0], name)) for name in CONTAINERS]
    assert gc.is_tracked(jobs[0])
    assert gc.is_tracked(jobs[0].rows)
    assert gc.is_tracked(jobs[0].names)
    jobs.reverse()
    while jobs:
        pool.release(jobs.pop())
    members = Job.__poolware_plan__.members
    assert not gc.is_tracked(at(identity))
    assert gc.is_tracked(pool._idle[MANY - 1])
    for name, known in zip(CONTAINERS, kept, strict=True):
        assert id(members[name].__get__(at(identity))) == known
        assert not gc.is_tracked(at(known))
    assert id(pool._idle[0]) == identity
    assert gc.is_tracked(pool._idle[0])
    for rests in (pool._idle[0], pool._idle[MANY - 1]):
        with pytest.raises(AttributeError):
            members["_home"].__get__(rests)
    del rests
    job = [pool.acquire() for _ in range(MANY)][-1]
    assert id(job) == identity
    assert gc.is_tracked(job)
    assert gc.is_tracked(job.rows)
    assert gc.is_tracked(job.names)
    job.data["me"] = job
    assert gc.is_tracked(job.data)


@pytest.mark.parametrize("finish", ["release", "finish"])
def test_contexts_of_requests_are_hidden_too(finish):
    lifecycle = Lifecycle(RequestContext)
    carriers = [{} for _ in range(MANY)]
    identity = id(lifecycle.begin(carriers[0]))
    for carrier in carriers[1:]:
        lifecycle.begin(carrier)
    for carrier in carriers:
        lifecycle.finish(carrier) if finish == "finish" else lifecycle.pool.release(carrier.pop("poolware.ctx"))
    assert len(lifecycle.pool._idle) == MANY
    assert not gc.is_tracked(at(identity))


def test_a_class_is_not_freed_before_what_is_hidden():
    """What is hidden has no reference to its class; it has one again when it comes out."""
    gc.collect()  # pools of other tests
    before = sys.getrefcount(Job)
    pool = ObjectPool(Job)
    fill(pool)
    assert pool._idle[0].rows == []
    jobs = [pool.acquire() for _ in range(MANY)]
    assert {type(job) for job in jobs} == {Job}
    while jobs:
        pool.release(jobs.pop())
    pool.clear()
    fill(pool)
    del pool
    gc.collect()
    assert sys.getrefcount(Job) == before


def test_a_part_that_somebody_has_is_not_hidden():
    """Its finder may put a cycle into it."""
    pool = ObjectPool(Job)
    jobs = [pool.acquire() for _ in range(MANY)]
    identity = id(jobs[-1])
    pool.release(jobs.pop())
    rows = Job.__poolware_plan__.members["rows"].__get__(pool._idle[0])
    while jobs:
        pool.release(jobs.pop())
    assert not gc.is_tracked(at(identity))
    assert gc.is_tracked(rows)


def test_collections_in_the_middle_of_everything_change_nothing():
    pool = ObjectPool(Job)
    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for number in range(3000):
            job = pool.acquire()
            assert (job.rows, job.names, job.data, job.note) == ([], set(), {}, None)
            job.rows.append([job])
            job.names.add(number)
            job.data[number] = {"job": job}
            job.note = [job]
            pool.release(job)
    finally:
        gc.set_threshold(*threshold)
    assert pool.get_stats().in_use == 0


def test_what_was_hidden_can_be_in_cycles_again():
    """A context that comes out of the pool and is never released is found by the collector like any other."""
    pool = ObjectPool(Job)
    fill(pool)
    part = Part()
    gone = weakref.ref(part)
    job = [pool.acquire() for _ in range(MANY)][-1]
    assert pool.get_stats().hits == MANY
    job.rows.append({"job": job})
    job.data["job"] = [job, part]
    job.names.add(part)
    pool._kind.lent.clear()
    del job, part
    gc.collect()
    assert gone() is None


def local_class():
    """A class that leads to its own pool, as one in a module with a global pool does."""

    class Local(Context):
        pool: ClassVar[Any] = None
        rows: list[Any] = field(factory=list)

    Local.pool = ObjectPool(Local)
    return Local


def local_default():
    def default():
        return pool

    made = type(Context)("Local", (Context,), {"__annotations__": {"call": Any}, "call": default})
    pool = ObjectPool(made)
    made.pool = pool
    return made


def local_part():
    class Aware(Part):
        owner: Any

    def factory():
        part = Aware()
        part.owner = pool
        return part

    namespace = {"__annotations__": {"part": Any}, "part": field(factory=factory, reset=Part.clear)}
    made = type(Context)("Local", (Context,), namespace)
    pool = ObjectPool(made)
    made.pool = pool
    return made


def local_enum():
    class Role(enum.Enum):
        USER = 1

    made = type(Context)("Local", (Context,), {"__annotations__": {"role": Any}, "role": Role.USER})
    made.pool = Role.pool = ObjectPool(made)
    return made


@pytest.mark.parametrize("made", [local_class, local_default, local_part, local_enum])
def test_a_class_that_leads_to_its_pool_is_freed_with_it(made):
    cls = made()
    pool = cls.pool
    fill(pool)
    assert len(pool._idle) == MANY
    gone = weakref.ref(cls), weakref.ref(pool)
    del cls, pool
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


@pytest.mark.parametrize("cls", [Job, Keeping])
@pytest.mark.parametrize("lent", [0, 2])
def test_a_pool_that_is_dropped_is_freed(cls, lent):
    pool = ObjectPool(cls, prewarm=5)
    for _ in range(lent):
        pool.acquire()
    gone = weakref.ref(pool)
    del pool
    gc.collect()
    assert gone() is None


def test_a_lifecycle_that_is_dropped_is_freed():
    lifecycle = Lifecycle(RequestContext, prewarm=3)
    carrier = {}
    lifecycle.begin(carrier)
    gone = weakref.ref(lifecycle), weakref.ref(lifecycle.pool)
    del lifecycle, carrier
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


def taken_apart(seen):
    lifecycle = Lifecycle(RequestContext)
    cycle = lifecycle.pool._kind.cycle

    class Last:
        __slots__ = ()  # so that the collector does not know it, and its finalizer runs as late as can be

        def __del__(self):
            for call, args in ((cycle.acquire, ()), (cycle.begin, ({},)), (cycle.release, (1,)), (cycle.finish, ({},))):
                try:
                    seen.append(call(*args))
                except Exception as error:
                    seen.append(error)

    lifecycle.last = [Last()]


def test_its_functions_outlive_a_pool_that_was_taken_apart():
    """A finalizer that runs while the collector takes a pool apart may still call them."""
    seen = []
    taken_apart(seen)
    gc.collect()
    assert len(seen) == 4


@pytest.mark.parametrize("cls", [Job, Keeping])
def test_held_contexts_at_rest_are_left_alone_when_their_pool_goes(cls):
    pool = ObjectPool(cls, prewarm=3)
    held = pool._idle[1]
    del pool
    gc.collect()
    assert sys.getrefcount(held) == 2
    assert gc.is_tracked(held)
