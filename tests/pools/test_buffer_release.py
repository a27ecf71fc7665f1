"""Every buffer goes back once: by hand, by mistake twice, into the wrong pool, or not at all."""

import gc
import subprocess
import sys
import threading

import pytest

from poolware import AlreadyReleased, Buffer, BufferPool, ForeignObject


@pytest.fixture
def pool():
    return BufferPool(tiers=(16, 64))


@pytest.mark.parametrize("how", [Buffer.release, lambda buffer: buffer._store.release(buffer)])
def test_second_release_raises(pool, how):
    """H12: nothing is handed out twice afterwards."""
    buffer = pool.acquire(10)
    buffer.release()
    for _ in range(2):
        with pytest.raises(AlreadyReleased, match="pool 'buffers': this buffer has already been released"):
            how(buffer)
    stats = pool.get_stats()
    assert (stats.refused, stats.released, stats.idle) == (2, 1, 1)
    first, second = pool.acquire(10), pool.acquire(10)
    assert first._memory.obj is not second._memory.obj
    first.release()
    second.release()


def test_second_release_while_a_view_lives_raises(pool):
    """H07 H12."""
    buffer = pool.acquire(10)
    view = buffer.view()
    buffer.release()
    with pytest.raises(AlreadyReleased):
        buffer.release()
    del view
    assert pool.get_stats().idle == 1


@pytest.mark.parametrize("obj", [None, 1, b"bytes", bytearray(16), object()])
def test_foreign_object_is_refused(pool, obj):
    """H13."""
    with pytest.raises(ForeignObject, match=f"pool 'buffers': {type(obj).__name__} object is not from this pool"):
        pool.release(obj)


def test_buffer_of_another_pool_is_refused(pool):
    """H13: and stays in use where it came from."""
    buffer = BufferPool(name="theirs").acquire(10)
    with pytest.raises(ForeignObject):
        pool.release(buffer)
    assert not buffer.closed
    buffer.release()


@pytest.mark.parametrize("exported", [False, True])
def test_abandoned_buffer_is_reported_and_taken_back(pool, exported, caplog):
    """H30 H32: dropped without release; wiped, kept, and a line in the log."""
    buffer = pool.acquire(10)
    buffer.write(b"geheim")
    view = buffer.view() if exported else None
    del buffer
    assert "pool 'buffers': a buffer was dropped without release" in caplog.text
    assert pool.get_stats().quarantined == exported
    del view
    stats = pool.get_stats()
    assert (stats.in_use, stats.idle, stats.quarantined) == (0, 1, 0)
    assert not any(bytes(pool._store.idle[16][0]))


def test_released_buffer_is_not_reported(pool, caplog):
    gc.collect()
    caplog.clear()
    pool.acquire(10).release()
    gc.collect()
    assert caplog.text == ""


def test_buffer_does_not_keep_its_memory_after_the_release(pool):
    buffer = pool.acquire(10)
    buffer.release()
    with pool.lease(10):
        assert pool.get_stats().hits == 1


def test_memory_that_somebody_got_at_is_not_handed_out(pool):
    """H07: the proof before use, here with the pool's own list."""
    pool.acquire(10).release()
    stolen = pool._store.idle[16][0]
    with pool.lease(10) as buffer:
        assert buffer._memory.obj is not stolen
    del stolen
    held = [pool.acquire(10), pool.acquire(10)]
    assert pool.get_stats().created == 2
    for buffer in held:
        buffer.release()


def test_many_threads():
    """H34 H09: each finds zeros, and reads what it wrote; the books add up afterwards."""
    pool, errors, views = BufferPool(tiers=(16, 64, 256), max_idle=3), [], []

    def use(number):
        try:
            for round_ in range(100):
                buffer = pool.acquire(10)
                assert not any(buffer.view(readonly=True))
                for _ in range(4 + round_ % 20):
                    buffer.write(bytes([number]) * 7)
                assert set(buffer.getvalue()) == {number}
                if round_ % 5 == 0:
                    views.append((number, buffer.getbuffer()))
                buffer.release()
                if round_ % 10 == 9 and views:
                    whose, view = views.pop()
                    assert set(view) == {whose}
        except BaseException as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=use, args=(number,)) for number in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert errors == []
    views.clear()
    stats = pool.get_stats()
    assert (stats.acquired, stats.released, stats.in_use, stats.quarantined) == (800, 800, 0, 0)
    assert stats.created == stats.misses == stats.idle + stats.dropped
    assert all(not any(bytes(storage)) for tier in pool._store.idle.values() for storage in tier)


def test_release_by_all_threads():
    """H12: one gives it back, the others are told."""
    pool, refused = BufferPool(), []
    for _ in range(20):
        buffer = pool.acquire(10)
        barrier = threading.Barrier(4)

        def release(buffer=buffer, barrier=barrier):
            barrier.wait()
            try:
                buffer.release()
            except AlreadyReleased:
                refused.append(1)

        threads = [threading.Thread(target=release) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    stats = pool.get_stats()
    assert (len(refused), stats.refused, stats.released) == (60, 60, 20)


def test_end_of_the_process_is_quiet():
    """H35: what is still in use then is nobody's mistake."""
    script = "from poolware import BufferPool; buffer = BufferPool().acquire(10)"
    run = subprocess.run([sys.executable, "-X", "dev", "-c", script], capture_output=True, text=True, check=True)
    assert run.stderr == ""
