"""The compiled core of buffers: what it must not be given, what runs in its middle, and what outlives it."""

import copy
import gc
import pickle
import sys
import weakref
from contextlib import suppress
from typing import Any

import pytest
from twins import COMPILED

from poolware import Buffer, BufferPool
from poolware._core.core import compiled
from poolware.errors import BufferInUse, BufferReleased, BufferSizeError, ReleaseError

if compiled is None:
    pytest.skip(COMPILED.kwargs["reason"], allow_module_level=True)


def raises(*_args):
    raise LookupError


OPTIONS: dict[str, Any] = {
    "make": Buffer,
    "tiers": (16, 64),
    "max_size": 100,
    "max_idle": 4,
    "max_idle_bytes": 1000,
    "wipe": "used",
    "reuse": True,
    "refuse_size": raises,
    "refuse_file": raises,
    "abandoned": lambda: None,
    "lent": None,
    "ended": None,
}
RUBBISH = {
    **{f"{name} is None": {name: None} for name in OPTIONS if name not in {"lent", "ended", "reuse"}},
    **{f"{name} is no function": {name: 3} for name in ("refuse_size", "refuse_file", "abandoned", "lent", "ended")},
    "makes numbers": {"make": int},
    "no tiers": {"tiers": ()},
    "tiers of another kind": {"tiers": (16, "x")},
    "a negative tier": {"tiers": (-16,)},
    "a tier larger than any memory": {"tiers": (2**70,)},
    "an unknown option": {"anything": 1},
}


def store(**changes):
    return compiled.MemoryStore(**(OPTIONS | changes))


@pytest.mark.parametrize("case", RUBBISH)
def test_a_store_takes_no_rubbish(case):
    with pytest.raises((TypeError, ValueError, OverflowError)):
        store(**RUBBISH[case])


@pytest.mark.parametrize("tiers", [(), [16], None, (16, "x"), (-16,), (16, 2**70), object()])
def test_a_store_takes_no_rubbish_for_its_tiers(tiers):
    """And keeps those that it has."""
    lends = store()
    lends.release(lends.acquire(10))
    with pytest.raises((TypeError, ValueError, OverflowError)):
        lends.retier(tiers)
    assert lends.resting() == {16: 1, 64: 0}
    with pytest.raises(TypeError):
        lends.trim(16, "x")


def test_tiers_that_change_while_memory_is_in_use_quarantined_and_growing():
    lends = store(tiers=(16, 32, 64))
    for number in range(2000):
        growing, viewed = lends.acquire(10), lends.acquire(20)
        view = viewed.view()
        lends.retier([(16, 64), (8, 32), (100,), (16, 32, 64)][number % 4])
        growing.write(bytes(40))
        lends.release(viewed)
        lends.release(growing)
        del view
        lends.trim(64, number % 2)
    counts = lends.counts()
    assert (counts["in_use"], counts["quarantined"]) == (0, 0)
    assert counts["created"] == counts["idle"] + counts["dropped"]
    assert counts["idle_bytes"] == sum(size * count for size, count in lends.resting().items())


def test_a_store_takes_every_option_by_its_name():
    with pytest.raises(TypeError):
        compiled.MemoryStore(*OPTIONS.values())
    for name in OPTIONS:
        with pytest.raises(TypeError):
            compiled.MemoryStore(**{key: OPTIONS[key] for key in OPTIONS if key != name})
    assert store()


@pytest.mark.parametrize("kind", ["Memory", "MemoryStore", "MemoryFile"])
def test_no_type_is_changed(kind):
    with pytest.raises(TypeError):
        getattr(compiled, kind).anything = 1


@pytest.mark.parametrize("make", [Buffer, lambda: object.__new__(Buffer), lambda: Buffer.__new__(Buffer)])
def test_only_a_pool_makes_buffers(make):
    with pytest.raises(TypeError):
        make()
    for kind in (compiled.Memory, compiled.MemoryFile):
        with pytest.raises(TypeError):
            kind()
        with pytest.raises(TypeError):
            object.__new__(kind)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_nothing_is_copied_or_pickled(duplicate):
    rests = store()
    for made in (rests, rests.acquire(1), rests.acquire(1).view().obj):
        with pytest.raises(TypeError):
            duplicate(made)


@pytest.mark.parametrize(
    "stranger", [None, 1, object(), [], Buffer, BufferPool().acquire(1)], ids=lambda one: type(one).__name__
)
def test_a_store_takes_back_its_own_files_only(stranger):
    rests = store()
    assert not rests.end(stranger)
    with pytest.raises(LookupError):
        rests.release(stranger)
    assert rests.counts()["in_use"] == 0


class Plain(compiled.MemoryFile):
    pass


class Slotted(Buffer):
    __slots__ = ("__weakref__", "more")


@pytest.mark.parametrize("make", [compiled.MemoryFile, Plain, Buffer, Slotted, type("Loose", (Buffer,), {})])
def test_whatever_a_store_makes_comes_back(make):
    dropped = []
    rests = store(make=make, abandoned=lambda: dropped.append(1))
    file = rests.acquire(1)
    file.write(b"secret")
    rests.release(file)
    with pytest.raises((ValueError, AttributeError)):
        file.tell()
    file = rests.acquire(1)
    file.write(b"secret")
    del file
    counts = rests.counts()
    assert (counts["in_use"], counts["idle"], counts["acquired"], counts["created"], dropped) == (0, 1, 2, 1, [1])
    assert not any(bytes(rests.idle[16][0]))


def test_who_is_told_may_raise():
    """As a KeyboardInterrupt does in the debug mode: it goes on, and the figures stay right."""
    rests = store(lent=raises)
    with pytest.raises(LookupError):
        rests.acquire(1)
    rests = store(ended=raises)
    for end in (rests.release, rests.end):
        with pytest.raises(LookupError):
            end(rests.acquire(1))
    counts = rests.counts()
    assert (counts["in_use"], counts["idle"], counts["acquired"]) == (0, 1, 2)


class Ends:
    def __init__(self, action):
        self.action = action
        self.itself = self

    def __del__(self):
        self.action()


@pytest.mark.parametrize("wipe", ["used", "full", "none"])
def test_a_collection_in_the_middle_may_release(wipe):
    """Up to 3.11 every allocation may collect. The memory is let go of, and not kept either."""
    thresholds = gc.get_threshold()
    for use in (lambda file: file.view(), lambda file: file._memory, lambda file: file.write(b"x" * 40)):
        rests = store(max_idle=0, wipe=wipe)
        file = rests.acquire(10)
        gc.collect()
        gc.disable()
        try:
            Ends(lambda file=file, rests=rests: rests.end(file))
            gc.set_threshold(1)
            gc.enable()
            try:
                held = use(file)
            except ValueError:
                held = None
        finally:
            gc.set_threshold(*thresholds)
            gc.enable()
        gc.collect()
        del held
        counts = rests.counts()
        assert (counts["in_use"], counts["quarantined"]) == (0, 0)
        assert counts["created"] == counts["dropped"]


KEPT = {
    "a view": lambda pool: pool.acquire(10).view(),
    "a view of a released buffer": lambda pool: [one := pool.acquire(10), one.view(), one.release()],
    "a buffer": lambda pool: pool.acquire(10),
    "memory": lambda pool: [pool.release(pool.acquire(10)), pool._store.idle, pool.acquire(10), pool.acquire(10)],
}


@pytest.mark.parametrize("kind", KEPT)
def test_a_pool_that_leads_to_its_own_memory_is_collected(kind, caplog):
    caplog.set_level("CRITICAL")
    pool: Any = BufferPool()
    pool.kept = KEPT[kind](pool)
    alive = weakref.ref(pool)
    del pool
    gc.collect()
    assert alive() is None


def test_memory_comes_home_as_often_as_it_is_held():
    """Also after a collection has seen it, which finalizes each object once."""
    pool = BufferPool(tiers=(16,))
    for _ in range(3):
        buffer = pool.acquire(10)
        loop: list[Any] = [buffer.view()]
        loop.append(loop)
        buffer.release()
        del buffer
        assert pool.get_stats().quarantined == 1
        del loop
        gc.collect()
        stats = pool.get_stats()
        assert (stats.quarantined, stats.idle, stats.created) == (0, 1, 1)


def test_memory_outlives_its_pool():
    pool = BufferPool(tiers=(16,))
    buffer = pool.acquire(10)
    view = buffer.view()
    buffer.release()
    del buffer, pool
    gc.collect()
    view[:] = b"x" * 16
    assert bytes(view) == b"x" * 16


def test_what_is_written_past_a_view_is_wiped():
    """A view leads to all of the memory, and what rests can be got at: both are wiped from end to end."""
    pool = BufferPool(tiers=(64,))
    buffer = pool.acquire(10)
    memoryview(buffer.view(0, 4).obj)[40] = 1
    buffer.release()
    memory = pool._store.idle[64][0]
    assert not any(bytes(memory))
    memoryview(memory)[40] = 1
    pool.acquire(10).release()
    del memory
    stats = pool.get_stats()
    assert (stats.idle, stats.quarantined) == (2, 0)
    assert not any(any(bytes(memory)) for memory in pool._store.idle[64])


def test_statistics_hold_no_memory():
    """They are asked for while other threads acquire, who must not find what rests held."""
    rests = store()
    rests.release(rests.acquire(1))
    assert rests.counts() | {"idle": 1, "idle_bytes": 16} == rests.counts()


def cycles(pool):
    """Every way of memory, once."""
    buffer = pool.acquire(10)
    buffer.write(b"x" * 40)
    view = buffer.view()
    buffer.release()
    del view
    with suppress(ReleaseError):
        buffer.release()
    with suppress(BufferReleased):
        buffer.view()
    held = pool.acquire(10).view(), pool._store.idle
    pool.acquire(3000)
    pool.clear()
    del held
    with suppress(BufferSizeError):
        pool.acquire(-1)
    with pool.lease(10) as other, suppress(BufferSizeError, BufferInUse, TypeError):
        other.write(other.view(readonly=True))
        other.write(memoryview(bytes(8))[::2])


def test_three_thousand_cycles_leave_nothing_behind(caplog):
    caplog.set_level("CRITICAL")
    pool = BufferPool(tiers=(16, 64), max_size=4000)

    def figures():
        gc.collect()
        kinds = (compiled.Memory, compiled.MemoryFile, compiled.MemoryStore, Buffer, pool._store, pool)
        return [*map(sys.getrefcount, kinds), len(gc.get_objects()), sys.getallocatedblocks()]

    for _ in range(300):
        cycles(pool)
    before = figures()
    before = figures()
    for _ in range(3_000):
        cycles(pool)
    assert max(abs(then - now) for then, now in zip(before, figures(), strict=True)) < 300
