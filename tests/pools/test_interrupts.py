"""An interrupt, or another thread, in the middle of something: nobody is given what is left behind."""

import contextlib
import copy
import pickle
import threading

import pytest
from interrupts import Interrupt, interrupted_everywhere
from memories import plain

from poolware import BufferPool, BufferReleased, Context, NotCopyable, ObjectPool, Secret, SecretReleased
from poolware._core.memory_file import MemoryFile
from poolware._core.memory_store import MemoryStore

CODES = {"write": MemoryFile.write, "grow": MemoryFile._grow, "larger memory": MemoryStore._larger}


@plain
@pytest.mark.parametrize("wipe", ["used", "full"])
@pytest.mark.parametrize("where", CODES)
@pytest.mark.parametrize("before", [b"", b"geheim" * 100], ids=["empty", "filled"])
def test_an_interrupt_anywhere(where, wipe, before):
    """H18, H09: whatever had been written is wiped, and the memory stays the pool's or is dropped."""
    pool = BufferPool(tiers=(1024, 65536), wipe=wipe)
    payload = b"secret" * (8000 if where != "write" else 20)

    def act(start):
        buffer = pool.acquire(1024)
        buffer.write(before)
        try:
            start()
            buffer.write(payload)
        except Interrupt:
            pass
        with contextlib.suppress(BufferReleased):
            buffer.release()
        for size in pool.tiers:
            with pool.lease(size) as following:
                assert not any(following.view(readonly=True))

    interrupted_everywhere(CODES[where].__code__, act)
    assert pool.get_stats().in_use == 0


@plain
@pytest.mark.parametrize("first", ["the view", "the write"])
def test_a_write_in_the_middle_while_a_view_is_held(first):
    """H06, H07: the memory waits for both."""
    pool = BufferPool(tiers=(1024,))
    buffer = pool.acquire(1024)
    buffer.write(b"GET")
    sending = buffer.getbuffer()
    busy = buffer._memory  # as a thread in the middle of write() holds it
    pool.release(buffer)
    held = {"the view": sending, "the write": busy}
    del sending, busy
    busy = held["the write"]
    if first == "the write":
        busy[3:9] = b"secret"
        del busy, held["the write"]
        assert pool.get_stats().quarantined == 1
        held.clear()
    else:
        del held["the view"]
        assert pool.get_stats().quarantined == 1
        busy[3:9] = b"secret"
        del busy
        held.clear()
    assert pool.get_stats().quarantined == 0
    following = pool.acquire(1024)
    assert not any(following.view())
    assert pool.get_stats().hits == 1
    following.release()


@plain
def test_a_view_that_a_release_overtakes(monkeypatch):
    """H07: the release waits until the view is taken, and the memory for the view."""
    pool = BufferPool(tiers=(1024,))
    buffer = pool.acquire(1024)
    make, threads = pool._store._guard, []

    def guard(memory):
        threads.append(threading.Thread(target=pool.release, args=(buffer,)))
        threads[0].start()
        threads[0].join(0.05)
        return make(memory)

    monkeypatch.setattr(pool._store, "_guard", guard)
    view = buffer.view()
    monkeypatch.undo()
    threads[0].join()
    assert pool.get_stats().quarantined == 1
    view[:6] = b"secret"
    del view
    following = pool.acquire(1024)
    assert not any(following.view(0, 100, readonly=True))
    following.release()


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_buffer_is_not_copied(duplicate):
    """H12: two buffers would share one memory."""
    with BufferPool().lease(10) as buffer, pytest.raises(NotCopyable, match="getvalue"):
        duplicate(buffer)


@pytest.mark.parametrize("size", [20, 200], ids=["fits", "grows"])
@pytest.mark.parametrize("value", ["text", "bytes"])
def test_a_secret_interrupted_anywhere(size, value):
    """H18, H14: what had been written is wiped at the end like the rest."""
    value = "s" * size if value == "text" else b"s" * size

    def act(start):
        secret = Secret("the value before", capacity=64)
        first = secret._memory.obj
        try:
            start()
            secret.set(value)
        except Interrupt:
            pass
        second = secret._memory.obj
        secret._retire()
        assert not any(first)
        assert not any(second)

    interrupted_everywhere(Secret.set.__code__, act)


def test_a_secret_whose_request_ends_while_it_is_set():
    """H14: it stays released, and wiped."""
    secret = Secret(capacity=64)
    memory = secret._memory.obj

    thread = threading.Thread(target=secret._retire)

    def units():
        yield 115
        thread.start()
        thread.join()
        yield 115

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("poolware.context.secret._utf8", lambda _text: units())
        with pytest.raises(SecretReleased):
            secret.set("ss")
    assert repr(secret) == "<Secret released>"
    assert not any(memory)


class Job(Context):
    name: str = ""


def test_something_borrowed_while_the_rest_goes_back():
    """H17: each object goes back to its own pool, once."""
    lists, sets = ObjectPool(list, reset=list.clear), ObjectPool(set, reset=set.clear)
    jobs = ObjectPool(Job)
    job = jobs.acquire()

    class Late:
        """A pool whose give-back is overtaken by another thread's loan."""

        acquire = object

        def release(self, _obj):
            thread = threading.Thread(target=job.borrow, args=(sets,))
            thread.start()
            thread.join()

    job.borrow(lists)
    job.borrow(Late())
    jobs.release(job)
    for pool in (lists, sets):
        stats = pool.get_stats()
        assert (stats.released, stats.in_use, stats.lost, stats.refused) == (1, 0, 0, 0)


def test_two_threads_borrow_first():
    """H17: neither loan is forgotten."""
    lists = ObjectPool(list, reset=list.clear)
    jobs = ObjectPool(Job)
    for _ in range(300):
        job = jobs.acquire()
        ready = threading.Barrier(2)

        def borrow(job=job, ready=ready):
            ready.wait()
            job.borrow(lists)

        threads = [threading.Thread(target=borrow) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        jobs.release(job)
    stats = lists.get_stats()
    assert (stats.released, stats.lost) == (600, 0)


@plain
def test_a_growth_in_the_middle_of_another_threads_write():
    """H06, H09: what it leaves behind waits for that thread, and is wiped as a whole."""
    pool = BufferPool(tiers=(1024, 4096))
    buffer = pool.acquire(1024)
    busy = buffer._memory  # as a thread in the middle of write() holds it
    buffer.write(b"x" * 2000)
    assert pool.get_stats().quarantined == 1
    busy[1000:1006] = b"secret"
    del busy
    assert pool.get_stats().quarantined == 0
    with pool.lease(1024) as following:
        assert not any(following.view(readonly=True))
    assert pool.get_stats().hits == 1
    assert buffer.getvalue() == b"x" * 2000
    buffer.release()


@pytest.mark.parametrize("kind", ["reset", "validate"])
def test_an_interrupt_in_a_hook_passes_on_and_is_counted(kind):
    """H18: the object is discarded."""

    def interrupt(_obj):
        raise Interrupt

    pool = ObjectPool(list, reset=interrupt if kind == "reset" else None, validate=interrupt)
    held = [pool.acquire()]
    if kind == "reset":
        with pytest.raises(Interrupt):
            pool.release(held.pop())
        assert pool.get_stats().reset_errors == 1
    else:
        pool.release(held.pop())
        with pytest.raises(Interrupt):
            pool.acquire()
        assert pool.get_stats().validation_failures == 1
    assert pool.get_stats().idle == 0


def test_an_interrupt_while_a_loan_is_noted():
    """H18: what was just acquired goes back."""
    lists, jobs = ObjectPool(list, reset=list.clear), ObjectPool(Job)
    job = jobs.acquire()
    with pytest.MonkeyPatch.context() as patch:

        def interrupt(*_args):
            raise Interrupt

        patch.setattr(Context, "_keep_until_end", interrupt)
        with pytest.raises(Interrupt):
            job.borrow(lists)
    stats = lists.get_stats()
    assert (stats.acquired, stats.released, stats.idle) == (1, 1, 1)
    jobs.release(job)
