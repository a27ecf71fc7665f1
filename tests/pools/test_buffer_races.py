"""Writing to a buffer at the very moment at which it is released, grows, or is collected."""

import gc
import os
import sys
import threading

import pytest

from poolware import AlreadyReleased, BufferPool, BufferReleased, PoolwareError


@pytest.fixture
def hectic():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_a_write_that_a_release_overtakes(hectic):
    """H06, H17: its bytes land in memory that nobody is given before they are wiped."""
    pool, payload = BufferPool(tiers=(1024,), max_idle=4), bytearray(b"S" * 512)

    def write(buffer):
        try:
            while True:
                buffer.seek(0)
                buffer.write(payload)
        except PoolwareError:
            pass

    for _ in range(300):
        buffer = pool.acquire(1024)
        thread = threading.Thread(target=write, args=(buffer,))
        thread.start()
        pool.release(buffer)
        following = pool.acquire(1024)
        thread.join()
        assert not any(following.view())
        following.release()
        del following, buffer


def test_a_growth_that_a_release_overtakes(hectic):
    """H12: the memory goes back once, and the buffer stays released."""
    pool = BufferPool(tiers=(1024, 4096), max_idle=4)

    def write(buffer):
        try:
            buffer.seek(1000)
            buffer.write(b"x" * 512)
        except PoolwareError:
            pass

    for _ in range(300):
        buffer = pool.acquire(1024)
        thread = threading.Thread(target=write, args=(buffer,))
        thread.start()
        pool.release(buffer)
        thread.join()
        with pytest.raises(BufferReleased):
            buffer.tell()
        with pytest.raises(AlreadyReleased):
            pool.release(buffer)
        del buffer, thread
    stats = pool.get_stats()
    assert stats.in_use == stats.quarantined == 0
    resting = [id(storage) for tier in pool._store.idle.values() for storage in tier]
    assert len(resting) == len(set(resting))
    taken = [pool.acquire(1024), pool.acquire(4096)]
    assert not any(any(buffer.view()) for buffer in taken)


def test_two_writes_of_which_one_grows(hectic):
    """H09: the smaller memory is wiped of what the other still writes to it."""
    pool = BufferPool(tiers=(1024, 4096), max_idle=4)

    def write(buffer):
        try:
            for _ in range(20):
                buffer.seek(0)
                buffer.write(bytearray(b"S" * 512))
        except PoolwareError:
            pass

    for _ in range(200):
        buffer = pool.acquire(1024)
        thread = threading.Thread(target=write, args=(buffer,))
        thread.start()
        buffer.seek(1000)
        buffer.write(b"x" * 512)
        following = pool.acquire(1024)
        thread.join()
        assert not any(following.view())
        following.release()
        buffer.release()
        del following, buffer


def test_a_finalizer_that_writes_through_a_view():
    """H07: the collector tells of the view's end before it runs the finalizer that still has it."""
    pool = BufferPool(tiers=(1024,))

    class Flusher:
        def __init__(self, view):
            self.view, self.me = view, self

        def __del__(self):
            self.view[:6] = b"geheim"

    buffer = pool.acquire(100)
    flusher = Flusher(buffer.view())
    assert flusher.me is flusher
    buffer.release()
    del flusher, buffer
    gc.collect()
    assert pool.get_stats().quarantined == 0
    assert not any(pool.acquire(100).view())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_buffer_of_the_parent_that_the_child_drops():
    """H26: its place in the books ends with it; a new buffer may have the same address."""
    pool = BufferPool(tiers=(1024, 4096))
    inherited = [pool.acquire(10)]
    child = os.fork()
    if child == 0:
        inherited.clear()
        os._exit(pool.get_stats().in_use)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    inherited.pop().release()


@pytest.mark.parametrize("size", [1, 1024, 5000])
def test_lines_of_a_body(size):
    """H42: found in place; neither time nor copies grow with what follows the line."""
    pool = BufferPool()
    with pool.lease(size) as buffer:
        buffer.write(b"a\n" * (size // 2) + b"end")
        buffer.seek(0)
        assert sum(1 for _ in buffer) == size // 2 + 1
        buffer.seek(0)
        assert buffer.readline(1) in {b"a", b"e"}


def test_no_buffer_is_larger_than_the_maximum():
    """H42: nor by way of its tier."""
    pool = BufferPool(max_size=10)
    assert pool.tiers == (10,)
    with pool.lease(5) as buffer:
        assert buffer.capacity == 10
        with pytest.raises(PoolwareError, match="to max_size=10"):
            buffer.write(bytes(11))
    assert pool.get_stats().idle == 1


@pytest.mark.parametrize("tiers", [5, None, "16", b"16", {4, 8}])
def test_tiers_that_are_none(tiers):
    """H40."""
    with pytest.raises(PoolwareError, match=r"tiers=.*: it takes a"):
        BufferPool(tiers=tiers)
