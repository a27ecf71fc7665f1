"""Many threads, one pool: nothing is handed out twice, and the books add up exactly afterwards."""

import contextlib
import random
import sys
import threading
from functools import partial

import pytest
from many_threads import THREADS, run_in_threads
from pool_samples import STORES, Tool, check_books, tool_pool

from poolware import AlreadyReleased, Context, ForeignObject, ObjectPool, field

ROUNDS = 250


class Job(Context):
    owner: int = 0
    rows: list[int] = field(factory=list)


pytestmark = pytest.mark.usefixtures("fast_switching")


POOLS = {
    "contexts": lambda: ObjectPool(Job),
    "contexts, few kept": lambda: ObjectPool(Job, max_idle=3, max_quarantine=2),
    "tools": tool_pool,
    "tools, few kept": lambda: tool_pool(max_idle=3, max_quarantine=2),
    "tools, validated": lambda: tool_pool(validate=lambda tool: tool.resets < 3),
} | {f"contexts, {store}": partial(ObjectPool, Job, store=store) for store in STORES[1:]}


@pytest.mark.parametrize("kind", POOLS)
def test_books_add_up(kind):
    """H34 H12: random holds; each object is its holder's alone from acquire to release."""
    pool = POOLS[kind]()
    acquired, released = [0] * (THREADS + 1), [0] * (THREADS + 1)

    def use(number):
        chance, held = random.Random(number), []
        for _ in range(ROUNDS):
            if len(held) < 4 and chance.random() < 0.6:
                obj = pool.acquire()
                acquired[number] += 1
                assert not obj.owner
                obj.owner = number
                held.append(obj)
                del obj
            elif held:
                chance.shuffle(held)
                assert held[-1].owner == number
                pool.release(held.pop())
                released[number] += 1
        while held:
            pool.release(held.pop())
            released[number] += 1

    run_in_threads(use)
    stats = check_books(pool, threads=THREADS)
    assert (stats.acquired, stats.released, stats.in_use) == (sum(acquired), sum(released), 0)
    assert stats.refused == stats.lost == 0
    assert stats.hits > 0


@pytest.mark.parametrize("store", STORES)
def test_release_in_another_thread(store):
    """H31: what one thread acquires and another releases is no thread's own."""
    pool, handed_over = ObjectPool(Job, max_idle=5, store=store), []

    def use(number):
        for _ in range(ROUNDS):
            if number % 2:
                handed_over.append(pool.acquire())
            else:
                with contextlib.suppress(IndexError):
                    pool.release(handed_over.pop())

    run_in_threads(use)
    while handed_over:
        pool.release(handed_over.pop())
    assert check_books(pool, threads=THREADS).in_use == 0
    assert check_books(pool, threads=THREADS).idle <= 5


@pytest.mark.parametrize("kind", ["contexts", "tools", "contexts, few kept"])
def test_release_of_one_object_by_all_threads(kind):
    """H12: one of them gives it back, the others are told."""
    pool, refused = POOLS[kind](), []
    first = [pool.acquire() for _ in range(3)]
    for _ in range(20):
        shared = pool.acquire()
        barrier = threading.Barrier(THREADS)

        def use(_number, shared=shared, barrier=barrier):
            barrier.wait()
            try:
                pool.release(shared)
            except (AlreadyReleased, ForeignObject) as error:
                refused.append(type(error))

        run_in_threads(use)
        del shared, use
    stats = check_books(pool, threads=THREADS)
    assert len(refused) == 20 * (THREADS - 1) == stats.refused
    assert (stats.released, stats.in_use) == (20, len(first))


def test_statistics_while_others_work():
    """H34: looking does not disturb; nothing in use is taken for lost (H32)."""
    pool = ObjectPool(Job)

    def use(number):
        for _ in range(ROUNDS // 2):
            if number > 6:
                pool.get_stats()
                repr(pool)
            else:
                with pool.lease() as job:
                    job.owner = number
                    assert job.owner == number

    run_in_threads(use)
    stats = check_books(pool, threads=THREADS)
    assert (stats.acquired, stats.lost, stats.refused) == (6 * (ROUNDS // 2), 0, 0)


@pytest.mark.parametrize("store", STORES)
def test_clearing_while_others_work(store):
    """H34: what is cleared away makes room again."""
    pool = ObjectPool(Job, max_idle=8, store=store)

    def use(number):
        for _ in range(ROUNDS // 2):
            if number == 1:
                pool.clear()
            else:
                with pool.lease():
                    pass

    run_in_threads(use)
    pool.get_stats()  # what waits in quarantine comes back to rest
    pool.clear()
    stats = pool.get_stats()
    assert (stats.idle, stats.in_use) == (0, 0)
    assert stats.acquired == stats.hits + stats.misses


def test_tools_are_never_shared_by_equality():
    """H12: objects that equal each other and cannot be hashed are told apart by identity."""
    pool = tool_pool()
    first, second = pool.acquire(), pool.acquire()
    assert first == second
    assert first is not second
    pool.release(first)
    with pytest.raises(AlreadyReleased):
        pool.release(first)
    assert check_books(pool, threads=THREADS).in_use == 1
    pool.release(second)
    with pytest.raises(ForeignObject):
        pool.release(Tool())


def test_clearing_meanwhile_keeps_count():
    """H30 H34: the bound does not drift; it may be passed by what other threads have in their hands at a time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        pool = ObjectPool(list, reset=list.clear, max_idle=64)

        def use():
            for number in range(1500):
                in_use = [pool.acquire() for _ in range(5)]
                while in_use:
                    pool.release(in_use.pop())
                if number % 3 == 0:
                    pool.clear()

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    stats = pool.get_stats()
    assert stats.in_use == 0
    assert stats.idle <= 64
    assert stats.idle + stats.quarantined <= 64 + len(threads)
