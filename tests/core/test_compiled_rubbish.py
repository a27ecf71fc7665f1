"""What the compiled core is not meant to be given raises; nothing crashes."""

import copy
import pickle
import sys
from typing import Any

import pytest
from twins import COMPILED, on

from poolware import BufferPool, Context, ForeignObject, Lifecycle, ObjectPool, RequestContext, field
from poolware._core.core import compiled
from poolware._core.cycle import KEY

if compiled is None:
    pytest.skip(COMPILED.kwargs["reason"], allow_module_level=True)


class Job(Context):
    rows: list[Any] = field(factory=list)
    note: Any = None


class Longer(Job):
    more: Any = None


class Alike(Context):
    rows: list[Any] = field(factory=list)
    note: Any = None


class Other(Context):
    first: Any = None


PLAN = Job.__poolware_plan__
MEMBERS = PLAN.members
NAMES = ("build", "doubt", "refuse", "retire", "spoilt", "keep", "scrub", "give_back")
CALLS = dict.fromkeys(NAMES, lambda *_: None)
ROWS = ((MEMBERS["note"], 0, None, None, None, False, False, False),)


def store(cls=Job):
    return compiled.Store(cls, cls.__poolware_plan__.members["_home"], False, ())


def arguments(**changes):
    parts = {
        "idle": store(),
        "lent": compiled.Register(Job),
        "acquired": compiled.Tally(),
        "cls": Job,
        "sealed": PLAN.sealed,
        "home": None,
        "key": KEY,
        "members": MEMBERS,
        "rows": ROWS,
        "calls": CALLS,
    }
    return [*(parts | changes).values()]


def row(**changes):
    names = ("member", "kind", "rest", "factory", "reset", "sensitive", "overwrite", "borrowed")
    return (tuple((dict(zip(names, ROWS[0], strict=True)) | changes).values()),)


RUBBISH = {
    **{f"no {name}": {name: ()} for name in ("idle", "lent", "acquired", "cls", "sealed", "key", "members", "calls")},
    "rows of another kind": {"rows": [1]},
    "a store of another class": {"idle": store(Other)},
    "a register of another class": {"lent": compiled.Register(Other)},
    "a class with other slots": {"cls": Longer},
    "no class of contexts": {"cls": int, "sealed": bool},
    "sealed has more slots": {"sealed": Longer},
    "sealed is no subclass": {"sealed": Alike},
    "no members": {"members": {}},
    "a member that is none": {"members": MEMBERS | {"_lent": 3}},
    "a member that is no slot": {"members": MEMBERS | {"started_at": property()}},
    "a member of another class": {"members": MEMBERS | {"_carrier": Other.__poolware_plan__.members["first"]}},
    "a member of another kind of object": {"members": MEMBERS | {"_home": type(lambda: 0).__globals__}},
    "a member that is read only": {"members": MEMBERS | {"_home": complex.real}},
    "no calls": {"calls": {}},
    **{f"{name} is missing": {"calls": {key: CALLS[key] for key in CALLS if key != name}} for name in NAMES},
    "a call that is no function": {"calls": CALLS | {"doubt": 3}},
    "a row that is none": {"rows": (3,)},
    "an empty row": {"rows": ((),)},
    "a row with an unknown kind": {"rows": row(kind=5)},
    "a row with a negative kind": {"rows": row(kind=-1)},
    "a container of another type": {"rows": row(kind=2, factory=bytearray)},
    "a row with no slot": {"rows": row(member=None)},
    "a row with a slot of another class": {"rows": row(member=Other.__poolware_plan__.members["first"])},
    "a good row, then a bad one": {"rows": (*ROWS, *row(kind=9))},
}


@pytest.mark.parametrize("case", RUBBISH)
def test_a_cycle_takes_no_rubbish(case):
    with pytest.raises((TypeError, ValueError)):
        compiled.Cycle(*arguments(**RUBBISH[case]))


def test_a_cycle_takes_what_is_right():
    assert compiled.Cycle(*arguments())


@pytest.mark.parametrize("kind", ["Cycle", "Store", "Register", "Tally"])
@pytest.mark.parametrize("args", [(1,), (None, None), (int,), ("x",) * 10, (object, object, object)])
def test_no_type_takes_rubbish(kind, args):
    with pytest.raises(TypeError):
        getattr(compiled, kind)(*args)
    with pytest.raises(TypeError):
        getattr(compiled, kind)(anything=1)


@pytest.mark.parametrize("kind", ["Cycle", "Store", "Register", "Tally"])
def test_no_type_is_changed_or_derived_from(kind):
    with pytest.raises(TypeError):
        type("Sub", (getattr(compiled, kind),), {})
    if kind != "Tally":
        with pytest.raises(TypeError):
            getattr(compiled, kind).anything = 1


@pytest.mark.parametrize("made", [store, compiled.Tally, lambda: compiled.Cycle(*arguments())])
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_nothing_is_copied_or_pickled(made, duplicate):
    with pytest.raises(TypeError):
        duplicate(made())


STRANGERS = [None, 1, object(), [], Job, Other(), Alike(), Longer(), compiled.Recyclable()]


@pytest.mark.parametrize("obj", STRANGERS, ids=lambda obj: type(obj).__name__)
def test_stores_take_only_objects_of_their_own_layout(obj):
    for take in (store().append, compiled.Register(Job).add):
        with pytest.raises(TypeError, match=r"takes Job"):
            take(obj)
    assert obj not in compiled.Register(Job)
    with pytest.raises(KeyError):
        compiled.Register(Job).remove(obj)
    with pytest.raises(ForeignObject):
        ObjectPool(Job).release(obj)
    with pytest.raises(TypeError):
        ObjectPool(Job)._kind.cycle.fill(obj)


def test_an_object_is_in_use_in_one_place_only():
    one, other, job = compiled.Register(Job), compiled.Register(Job), Job()
    one.add(job)
    one.add(job)
    with pytest.raises(ValueError, match="in use elsewhere"):
        other.add(job)
    assert (len(one), len(other), job in one, job in other) == (1, 0, True, False)
    with pytest.raises(KeyError):
        other.remove(job)
    one.clear()
    other.add(job)
    assert [*other] == [job]


def test_a_store_tells_its_ends():
    rests = store()
    for wrong in (lambda: rests[0], lambda: rests[-1], rests.pop):
        with pytest.raises(IndexError):
            wrong()
    rests.append(Job())
    with pytest.raises(IndexError):
        rests[1]
    assert rests[-1] is rests[0]


def test_what_rests_twice_or_is_lent_as_well_is_handed_out_once():
    pool = ObjectPool(Job)
    job = pool.acquire()
    pool._idle.append(job)
    pool._idle.append(job)
    given = [pool.acquire() for _ in range(3)]
    assert job not in given
    assert len({id(one) for one in given}) == 3


@pytest.mark.parametrize("twin", ["compiled", "python"])
def test_a_context_whose_class_was_changed_comes_back(twin):
    """Python itself allows no other class than one with the same slots."""
    with on(twin):
        pool, other = ObjectPool(Job), ObjectPool(Alike)
    job = pool.acquire()
    job.__class__ = Alike
    job.note = "x"
    with pytest.raises(ForeignObject):
        other.release(job)
    pool.release(job)
    del job
    job = pool.acquire()
    assert (type(job), job.note, job.rows) == (Job, None, [])
    assert pool.get_stats().hits == 1


@pytest.mark.parametrize("answer", [None, 7, Other(), Longer()], ids=lambda answer: type(answer).__name__)
def test_what_is_built_must_be_a_context(answer):
    lifecycle = Lifecycle(RequestContext)
    plan = RequestContext.__poolware_plan__
    made = compiled.Cycle(*arguments(
        idle=compiled.Store(plan.cls, plan.members["_home"], False, ()), lent=compiled.Register(plan.cls), cls=plan.cls,
        sealed=plan.sealed, members=plan.members, rows=(), calls=CALLS | {"build": lambda: answer},
    ))  # fmt: skip
    with pytest.raises(TypeError, match="RequestContext"):
        made.begin({})
    assert lifecycle.begin({}) is not None


def test_a_pool_outside_of_requests_begins_no_request():
    cycle = ObjectPool(Job)._kind.cycle
    with pytest.raises(TypeError, match="only a pool of request contexts"):
        cycle.begin({})


CARRIERS = {"None": None, "number": 7, "list": [], "frozen": (1, 2), "text": "x"}


@pytest.mark.parametrize("twin", ["compiled", "python"])
@pytest.mark.parametrize("kind", CARRIERS)
def test_odd_carriers_raise_and_lose_nothing_for_good(twin, kind):
    with on(twin):
        lifecycle = Lifecycle(RequestContext)
    with pytest.raises((TypeError, AttributeError)):
        lifecycle.begin(CARRIERS[kind])
    with pytest.raises((TypeError, AttributeError)):
        lifecycle.finish(CARRIERS[kind])
    stats = lifecycle.pool.get_stats()  # which names no request
    assert (stats.lost, stats.in_use) == (1, 0)


class Raising(dict[str, Any]):
    def __setitem__(self, key, value):
        raise LookupError(key)

    def pop(self, *_args):
        raise LookupError("pop")


class Odd(dict[str, Any]):
    pops = 0

    def pop(self, key, default=None):
        self.pops += 1
        return super().pop(key, default)


@pytest.mark.parametrize("twin", ["compiled", "python"])
def test_carriers_that_are_no_plain_dict_are_asked(twin):
    with on(twin):
        lifecycle = Lifecycle(RequestContext)
    for call in (lifecycle.begin, lifecycle.finish):
        with pytest.raises(LookupError):
            call(Raising())
    odd = Odd()
    assert lifecycle.begin(odd) is odd[KEY]
    lifecycle.finish(odd)
    assert (odd.pops, dict(odd)) == (1, {})


class Colliding:
    """A key that is taken for the context's own, and takes its entry away while it is looked for."""

    def __init__(self, carrier):
        self.carrier = carrier

    def __hash__(self):
        return hash(KEY)

    def __eq__(self, other):
        self.carrier.clear()
        return False


@pytest.mark.parametrize("twin", ["compiled", "python"])
def test_the_key_may_vanish_while_it_is_looked_for(twin):
    with on(twin):
        lifecycle = Lifecycle(RequestContext)
    carrier = {}
    carrier[Colliding({})] = 1
    lifecycle.begin(carrier)
    next(iter(carrier)).carrier = carrier
    lifecycle.finish(carrier)
    assert carrier == {}
    assert lifecycle.pool.get_stats().lost == 1


def test_a_cycle_is_redirected_to_what_fits_only():
    """And stays as it was otherwise."""
    idle = store()
    made = compiled.Cycle(*arguments(idle=idle))
    for rubbish in ((), (idle,), (None, CALLS), (store(Other), CALLS), (idle, {}), (idle, CALLS | {"drop": 17})):
        with pytest.raises(TypeError):
            made.redirect(*rubbish)
    for rubbish in ((), (idle,), (None, Job), (store(Other), Job)):
        with pytest.raises(TypeError):
            made.take(*rubbish)
    with pytest.raises(TypeError, match="not callable"):
        made.take(idle, 17)
    assert made.acquire() is None  # what its `build` returns


def test_a_cycle_redirected_back_and_forth_keeps_nothing_alive():
    first, second = store(), store()
    made = compiled.Cycle(*arguments(idle=first))
    before = [sys.getrefcount(each) for each in (first, second, CALLS["build"])]
    for _ in range(1000):
        made.redirect(second, CALLS | {"drop": CALLS["build"]})
        made.redirect(first, CALLS)
    assert [sys.getrefcount(each) for each in (first, second, CALLS["build"])] == before


def test_a_memory_store_tells_functions_only():
    pool = BufferPool()
    for rubbish in ((), (None,), (17, None), (None, 17)):
        with pytest.raises(TypeError):
            pool._store.watch(*rubbish)
    told = []
    pool._store.watch(told.append, None)
    pool.release(pool.acquire(10))
    assert len(told) == 1
