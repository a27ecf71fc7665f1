"""A handle that gives its object back when the last holder lets go: once, whoever that is."""

import asyncio
import copy
import gc
import logging
import pickle
import threading

import pytest
import trio
from pool_samples import tool_pool

from poolware import (
    AlreadyReleased,
    BadOption,
    BufferPool,
    BufferReleased,
    Context,
    NotCopyable,
    ObjectPool,
    ObjectReleased,
    RefCounted,
)
from poolware._core.misuse import observers


class Job(Context):
    owner: int = 0


class Till:
    """A pool of somebody else's: knows nothing but acquire and release."""

    def __init__(self):
        self.back = []

    def acquire(self, label="coin"):
        return [label]

    def release(self, obj):
        self.back.append(obj)


POOLS = {
    "buffers": (lambda: BufferPool(name="mine"), (1024,)),
    "contexts": (lambda: ObjectPool(Job, name="mine"), ()),
    "objects": (lambda: tool_pool(name="mine"), ()),
}


@pytest.fixture(params=POOLS)
def pool_and_arguments(request):
    make, arguments = POOLS[request.param]
    return make(), arguments


@pytest.fixture
def pool():
    return BufferPool(name="mine")


# --- counting ---------------------------------------------------------------------------------------------------------


def test_the_last_release_gives_back(pool_and_arguments):
    pool, arguments = pool_and_arguments
    handle = RefCounted.acquire(pool, *arguments)
    assert handle.retain() is handle
    assert (handle.count, pool.get_stats().in_use) == (2, 1)
    handle.release()
    assert (handle.count, pool.get_stats().in_use) == (1, 1)
    handle.release()
    stats = pool.get_stats()
    assert (handle.count, stats.in_use, stats.released, stats.refused, stats.idle) == (0, 0, 1, 0, 1)


def test_a_handle_of_what_was_acquired_before(pool):
    buffer = pool.acquire(10)
    handle = RefCounted(pool, buffer)
    assert handle.value is buffer
    handle.release()
    with pytest.raises(BufferReleased):
        buffer.write(b"late")


def test_any_pool_will_do():
    till = Till()
    handle = RefCounted.acquire(till, label="note")
    value = handle.value
    handle.release()
    assert till.back == [["note"]]
    assert till.back[0] is value


def test_one_release_too_many(pool_and_arguments):
    """H12: it raises, and the pool is not told again."""
    pool, arguments = pool_and_arguments
    handle = RefCounted.acquire(pool, *arguments)
    handle.release()
    with pytest.raises(AlreadyReleased, match="'mine'"):
        handle.release()
    assert pool.get_stats().refused == 0


@pytest.mark.parametrize("use", [lambda handle: handle.value, RefCounted.retain, RefCounted.__enter__])
def test_use_after_the_last_release(pool, use):
    seen = []
    observers.append(seen.append)
    handle = RefCounted.acquire(pool, 10)
    handle.release()
    try:
        with pytest.raises(ObjectReleased, match=r"'mine'.*retain\(\) first") as raised:
            use(handle)
    finally:
        observers.remove(seen.append)
    assert seen == [raised.value]
    assert handle.count == 0


def test_a_block_gives_up_one_reference(pool):
    with RefCounted.acquire(pool, 10) as handle:
        with handle.retain() as same:
            assert same is handle
            assert handle.count == 2
        assert handle.count == 1
    assert pool.get_stats().in_use == 0


def test_a_block_that_is_left_by_an_error(pool):
    with pytest.raises(ZeroDivisionError), RefCounted.acquire(pool, 10):
        1 / 0  # noqa: B018
    assert pool.get_stats().in_use == 0


def test_a_pool_that_raises_is_asked_once(pool):
    class Broken(Till):
        def release(self, obj):
            super().release(obj)
            raise ZeroDivisionError

    broken = Broken()
    handle = RefCounted.acquire(broken)
    with pytest.raises(ZeroDivisionError):
        handle.release()
    with pytest.raises(AlreadyReleased):
        handle.release()
    assert len(broken.back) == 1


@pytest.mark.parametrize("thing", [None, object(), {"release": 1}])
def test_what_is_no_pool_is_refused(thing):
    """H40."""
    with pytest.raises(BadOption, match="pool="):
        RefCounted(thing, "object")


def test_wrong_arguments_say_so_and_nothing_else(pool):
    with pytest.raises(TypeError):
        RefCounted(pool)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_handle_is_not_copied(pool, duplicate):
    """H12: two handles would count on their own."""
    with RefCounted.acquire(pool, 10) as handle, pytest.raises(NotCopyable, match="retain"):
        duplicate(handle)


def test_it_says_what_it_is(pool):
    handle = RefCounted.acquire(pool, 10)
    assert repr(handle) == "<RefCounted of pool 'mine': Buffer with 1 reference(s)>"
    handle.release()
    assert repr(handle) == "<RefCounted of pool 'mine': given back>"


def test_a_view_outlives_the_handle(pool):
    """H07: the count is the holders'; what a transport still sends is the pool's to look after."""
    with RefCounted.acquire(pool, 10) as handle:
        handle.value.write(b"spam")
        sending = handle.value.getbuffer()
    assert pool.get_stats().quarantined == 1
    assert bytes(sending) == b"spam"
    del sending
    assert pool.get_stats().quarantined == 0


# --- a release that is missing ----------------------------------------------------------------------------------------


def test_a_missing_release_is_logged_and_the_object_comes_back(pool_and_arguments, caplog):
    """H32: the detector fires, and names the pool."""
    pool, arguments = pool_and_arguments
    handle = RefCounted.acquire(pool, *arguments).retain()
    del handle
    (record,) = (record for record in caplog.records if "RefCounted" in record.getMessage())
    assert record.levelno == logging.ERROR
    assert "'mine'" in record.getMessage()
    assert "2 reference(s)" in record.getMessage()
    stats = pool.get_stats()
    assert (stats.in_use, stats.idle, stats.refused) == (0, 1, 0)


def test_a_missing_release_in_a_cycle(pool, caplog):
    cycle = [RefCounted.acquire(pool, 10)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert "nobody released" in caplog.text
    assert pool.get_stats().in_use == 0


def test_what_somebody_still_uses_is_not_taken_away(pool_and_arguments, caplog):
    """H32: the handle is lost, the object is in use; the pool has it back when it no longer is."""
    pool, arguments = pool_and_arguments
    handle = RefCounted.acquire(pool, *arguments)
    value = handle.value
    del handle
    assert "nobody released" in caplog.text
    stats = pool.get_stats()
    assert (stats.in_use, stats.idle) == (1, 0)
    others = [pool.acquire(*arguments) for _ in range(3)]
    assert all(other is not value for other in others)
    for other in others:
        pool.release(other)
    del other, others, value
    assert pool.get_stats().in_use == 0


def test_a_handle_that_went_well_is_not_logged(pool, caplog):
    with RefCounted.acquire(pool, 10):
        pass
    gc.collect()
    assert caplog.records == []


def test_debug_mode_names_the_places(monkeypatch, caplog):
    """Where it was acquired, where retained, and where its last reference was given up."""
    monkeypatch.setenv("POOLWARE_MODE", "debug")
    pool = BufferPool(name="mine")

    def acquired_here():
        return RefCounted.acquire(pool, 10)

    def retained_here(handle):
        handle.retain()

    def released_here(handle):
        handle.release()

    handle = acquired_here()
    for _ in range(3):
        retained_here(handle)
    del handle
    assert "in acquired_here" in caplog.text
    assert caplog.text.count("in retained_here") == 1
    assert "Retained 3 time(s)" in caplog.text
    assert "refcounted.py" not in caplog.text.replace("test_refcounted.py", "").partition("Acquired")[2]
    handle = acquired_here()
    released_here(handle)
    with pytest.raises(ObjectReleased, match="in released_here"):
        handle.value  # noqa: B018
    with pytest.raises(AlreadyReleased, match="in released_here"):
        handle.release()


# --- threads and loops ------------------------------------------------------------------------------------------------


def test_holders_on_a_loop(pool):
    """A broadcast outlives the task that began it, and a cancelled receiver gives its reference up."""

    async def main():
        got = []
        handle = RefCounted.acquire(pool, 10)
        handle.value.write(b"spam")

        async def receive(handle, number):
            with handle:
                await asyncio.sleep(3600 if number == 1 else 0)
                got.append(handle.value.getvalue())

        tasks = [asyncio.create_task(receive(handle.retain(), number)) for number in range(3)]
        handle.release()
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await tasks[0]
        await tasks[2]
        assert (got, handle.count) == ([b"spam"] * 2, 1)
        tasks[1].cancel()
        await asyncio.wait(tasks)
        assert handle.count == 0

    asyncio.run(main())
    assert pool.get_stats().released == 1


def test_holders_on_trio(pool):
    async def main():
        async def receive(handle):
            with handle:
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            with RefCounted.acquire(pool, 10) as handle:
                for _ in range(3):
                    nursery.start_soon(receive, handle.retain())
        assert handle.count == 0

    trio.run(main)
    assert pool.get_stats().released == 1


def test_a_finalizer_that_lets_go_of_a_reference_inside(pool):
    """H35: on the thread that is in the middle of a call on the same handle."""
    handle = RefCounted.acquire(pool, 10).retain()
    with handle._lock:
        handle.release()
    handle.release()
    assert pool.get_stats().in_use == 0


@pytest.mark.parametrize("use", [lambda handle: handle.value, RefCounted.retain])
def test_whoever_is_told_of_a_misuse_may_look_at_the_handle(pool, use):
    """From another thread too: nothing is locked then."""
    seen = []

    def look(_error):
        thread = threading.Thread(target=lambda: seen.append(pytest.raises(AlreadyReleased, handle.release)))  # noqa: RUF061
        thread.start()
        thread.join(10)
        assert not thread.is_alive()

    handle = RefCounted.acquire(pool, 10)
    handle.release()
    observers.append(look)
    try:
        with pytest.raises(ObjectReleased):
            use(handle)
    finally:
        observers.remove(look)
    assert len(seen) == 1


def test_a_pool_may_use_the_handle_while_it_takes_back():
    """Nothing is locked then: a reset may wait for another thread."""
    seen = []

    class Curious(Till):
        def release(self, obj):
            thread = threading.Thread(target=lambda: seen.append(handle.count))
            thread.start()
            thread.join(10)

    handle = RefCounted.acquire(Curious())
    handle.release()
    assert seen == [0]
