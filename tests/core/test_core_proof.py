"""The proof that nobody else holds an object: every kind of holder shows, on the very path that the pools use."""

import asyncio
import contextvars
import functools
import gc
import subprocess
import sys
import threading
import types
import weakref
from concurrent.futures import Future
from typing import Any

import pytest

from poolware import Context, ObjectPool
from poolware._core import proof


class Thing:
    __slots__ = ("__weakref__", "part")


class Job(Context):
    part: Any = None


def hold_in_local(obj):
    def wait():
        local = obj
        running.set()
        leave.wait()
        return local

    running, leave = threading.Event(), threading.Event()
    thread = threading.Thread(target=wait)
    thread.start()
    running.wait()
    return types.SimpleNamespace(close=lambda: (leave.set(), thread.join()))


def hold_in_generator(obj):
    def generate():
        local = obj
        yield
        yield local

    generator = generate()
    next(generator)
    return generator


def hold_in_coroutine(obj):
    async def wait():
        local = obj
        await asyncio.sleep(0)
        return local

    coroutine = wait()
    coroutine.send(None)
    return coroutine


def hold_in_traceback(obj):
    try:
        raise ValueError
    except ValueError as error:
        assert obj is not None
        return error


def hold_in_future(obj):
    future: Future[Any] = Future()
    future.set_result(obj)
    return future


def hold_in_context_variable(obj):
    context = contextvars.copy_context()
    context.run(contextvars.ContextVar("holder").set, obj)
    return context


def hold_in_cycle(obj):
    cycle = [obj]
    cycle.append(cycle)
    return cycle


HOLDERS = {
    "list": lambda obj: [obj],
    "tuple": lambda obj: (obj,),
    "dict value": lambda obj: {"k": obj},
    "set": lambda obj: {obj},
    "attribute": lambda obj: types.SimpleNamespace(obj=obj),
    "slot": lambda obj: Job(part=obj),
    "closure": lambda obj: lambda: obj,
    "default of a function": lambda obj: lambda kept=obj: kept,
    "partial": lambda obj: functools.partial(print, obj),
    "bound method": lambda obj: obj.__repr__,
    "iterator": lambda obj: iter([obj]),
    "cycle": hold_in_cycle,
    "running frame of another thread": hold_in_local,
    "generator frame": hold_in_generator,
    "coroutine frame": hold_in_coroutine,
    "traceback": hold_in_traceback,
    "future": hold_in_future,
    "context variable": hold_in_context_variable,
}


@pytest.fixture(params=[Thing, Job])
def pool(request):
    return ObjectPool(Thing, reset=None) if request.param is Thing else ObjectPool(Job)


@pytest.mark.parametrize("kind", HOLDERS)
def test_every_holder_is_noticed(pool, kind):
    """H06: an object that rests while somebody holds it is not handed out; once it is let go it is."""
    given = [pool.acquire()]
    identity = id(given[0])
    holder = HOLDERS[kind](given[0])
    pool.release(given.pop())
    others = [pool.acquire()]
    assert id(others[0]) != identity
    if hasattr(holder, "close"):
        holder.close()
    del holder
    gc.collect()
    others.append(pool.acquire())
    assert id(others[1]) == identity


@pytest.mark.parametrize("kind", HOLDERS)
def test_holder_of_what_was_lent_is_noticed(pool, kind):
    """H32: an object that is held is never taken for lost; once it is let go it is."""
    given = [pool.acquire()]
    holder = HOLDERS[kind](given[0])
    given.clear()
    assert pool.get_stats().lost == 0
    if hasattr(holder, "close"):
        holder.close()
    del holder
    gc.collect()
    assert pool.get_stats().lost == 1


def test_callers_variable_is_noticed(pool):
    """H06: the one that was passed to release."""
    obj = pool.acquire()
    pool.release(obj)
    other = pool.acquire()
    assert other is not obj


def test_weak_reference_is_no_holder():
    """It cannot be told from nobody; contexts take none for that reason (H02)."""
    pool = ObjectPool(Thing, reset=None)
    thing = pool.acquire()
    reference = weakref.ref(thing)
    pool.release(thing)
    del thing
    assert pool.acquire() is reference()


def test_this_interpreter_is_known():
    if sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)():
        assert proof.REUSE_REFUSED is None


def refused_with(change):
    """What the proof says, and whether a pool reuses, in an interpreter that counts otherwise."""
    program = f"""
import sys
{change}
from poolware import ObjectPool
from poolware._core import proof
pool = ObjectPool(list, reset=list.clear)
held = []
for _ in range(2):
    with pool.lease() as item:
        held.append(id(item))
print(proof.REUSE_REFUSED)
print(pool.get_stats().hits, pool.get_stats().idle)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


HIDING_ONE_HOLDER = """
count, x = sys.getrefcount, object()
extra = (lambda obj: count(obj))(x) - count(x)
sys.getrefcount = lambda obj: {3: 2}.get(count(obj) - extra, count(obj) - extra)
"""
UNKNOWN = {
    "no counts": ("del sys.getrefcount", "counts references in an unknown way"),
    "constant count": ("sys.getrefcount = lambda obj: 2", "counts references in an unknown way"),
    "another count": (
        "count = sys.getrefcount; sys.getrefcount = lambda obj: count(obj) + 7",
        "counts references in an unknown way",
    ),
    "count that hides a holder": (HIDING_ONE_HOLDER, "counts references in an unknown way"),
    "PyPy": ("sys.implementation.name = 'pypy'", "pypy keeps no reference counts"),
    "free-threaded": ("sys._is_gil_enabled = lambda: False", "a free-threaded interpreter's counts are split"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_nothing_is_reused_where_the_proof_does_not_hold(case):
    """Never in the way: everything works, nothing is reused, and the reason is there to be said."""
    change, reason = UNKNOWN[case]
    said, figures = refused_with(change)
    assert reason in said
    assert figures == "0 0"
