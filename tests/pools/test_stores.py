"""Where objects rest: in which order and by which thread they are used again."""

import gc
import subprocess
import sys
import threading
import weakref
from collections import deque

import pytest
from pool_samples import STORES, Tool, check_books, tool_pool

from poolware import BadOption, Context, ObjectPool, ShardedStore, ThreadStore, field
from poolware.pools.stores import FifoStore, new_store


def in_thread(function):
    """What `function` returns in a thread that has ended."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(function()))
    thread.start()
    thread.join()
    return answers.pop()


class Elsewhere:
    """A thread that does as it is told until the block ends."""

    def __enter__(self):
        self._told, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._task = None
        self._told.release()
        self._thread.join()

    def run(self, function):
        self._task = function
        self._told.release()
        assert self._done.acquire(timeout=10)
        return self._answer

    def _run(self):
        while self._told.acquire() and self._task is not None:
            self._answer = self._task()
            self._done.release()


@pytest.mark.parametrize("name", STORES)
def test_what_goes_in_comes_out_once(name):
    store = new_store(name)
    items = [object() for _ in range(50)]
    for item in items:
        store.append(item)
    assert len(store) == 50
    assert {id(item) for item in store} == {id(item) for item in items}
    assert {id(store.pop()) for _ in items} == {id(item) for item in items}
    assert len(store) == 0
    with pytest.raises(IndexError):
        store.pop()
    store.append(object())
    store.clear()
    assert (len(store), list(store)) == (0, [])


@pytest.mark.parametrize("name", STORES)
def test_what_rests_is_found_by_every_thread(name):
    """H30: nothing is stranded with a thread, neither a living nor a dead one."""
    store = new_store(name)
    in_thread(lambda: [store.append(object()) for _ in range(40)] and None)
    with Elsewhere() as other:
        other.run(lambda: [store.append(object()) for _ in range(40)] and None)
        assert len(store) == 80
        for _ in range(80):
            store.pop()
        assert len(store) == 0


def test_fifo_uses_what_has_rested_longest():
    pool = tool_pool(store="fifo", prewarm=3)
    order = [id(tool) for tool in pool._idle]
    for expected in order * 2:
        held = [pool.acquire()]
        assert id(held[0]) == expected
        pool.release(held.pop())


def test_a_thread_gets_back_what_it_released():
    pool = ObjectPool(Tool, reset=Tool.reset, store="thread")
    with Elsewhere() as other:
        ours, theirs = [pool.acquire()], [other.run(pool.acquire)]
        names = id(ours[0]), id(theirs[0])
        pool.release(ours.pop())
        other.run(lambda: pool.release(theirs.pop()))
        ours, theirs = [pool.acquire()], [other.run(pool.acquire)]
        assert (id(ours[0]), id(theirs[0])) == names
        other._answer = None
    stats = check_books(pool)
    assert (stats.local_hits, stats.hits, stats.hit_rate) == (2, 2, 0.5)


def test_hits_in_the_reserve_are_not_local():
    pool = tool_pool(store=lambda: ThreadStore(cache=2))
    held = [pool.acquire() for _ in range(5)]
    while held:
        pool.release(held.pop())
    held = [pool.acquire() for _ in range(5)]
    stats = check_books(pool)
    assert (stats.hits, stats.local_hits, len(held)) == (5, 2, 5)


def test_returns_by_a_foreign_thread_are_bounded():
    """H31: one thread acquires, another releases; its cache takes sixteen, and the others are there for the first."""
    pool = tool_pool(store="thread")
    held = [pool.acquire() for _ in range(100)]
    with Elsewhere() as other:
        other.run(lambda: [pool.release(held.pop()) for _ in range(100)])
        assert len(pool._idle._reserve) == 84
        held = [pool.acquire() for _ in range(100)]
        assert check_books(pool).created == 100


def test_what_a_thread_leaves_goes_to_the_reserve():
    store = ThreadStore()
    in_thread(lambda: store.append(object()))
    assert (len(store._reserve), len(store._caches)) == (1, 0)


def test_threads_take_turns_at_the_shards():
    store = ShardedStore(4)
    with Elsewhere() as first, Elsewhere() as second:
        for thread in (first, second, first):
            thread.run(lambda: store.append(object()))
        assert sorted(map(len, store._shards)) == [0, 0, 1, 2]


@pytest.mark.parametrize("shards", [0, 3, 12, -4, 1.0, True, None])
def test_number_of_shards_is_a_power_of_two(shards):
    """H40."""
    with pytest.raises(BadOption, match=r"shards=.*: it takes a"):
        ShardedStore(shards)


# --- two full collections ---------------------------------------------------------------------------------------------


@pytest.fixture
def _quiet_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Job(Context):
    rows: list = field(factory=list)


@pytest.mark.parametrize("factory", ["contexts", "tools"])
@pytest.mark.usefixtures("_quiet_collector")
def test_idle_objects_go_with_the_second_full_collection_and_not_earlier(factory):
    """H30: no more and no less."""
    options = {"store": "gc_victims", "prewarm": 20}
    pool = ObjectPool(Job, **options) if factory == "contexts" else tool_pool(**options)
    for generation in (0, 1, 0, 1):
        gc.collect(generation)
    assert pool.get_stats().idle == 20
    gc.collect()
    assert pool.get_stats().idle == 20
    gc.collect(1)
    assert pool.get_stats().idle == 20
    gc.collect()
    stats = pool.get_stats()
    assert (stats.idle, stats.destroyed) == (0, 20)


@pytest.mark.usefixtures("_quiet_collector")
def test_what_is_used_between_two_collections_stays():
    pool = tool_pool(store="gc_victims", prewarm=20)
    for _ in range(5):
        gc.collect()
        held = [pool.acquire() for _ in range(3)]
        while held:
            pool.release(held.pop())
    assert check_books(pool, cleared=17).idle == 3
    assert pool.get_stats().misses == 0


@pytest.mark.usefixtures("_quiet_collector")
def test_victims_are_used_before_new_ones_are_built():
    pool = tool_pool(store="gc_victims", prewarm=2)
    gc.collect()
    held = [pool.acquire() for _ in range(2)]
    assert (check_books(pool).hits, len(held)) == (2, 2)


def test_finalizers_of_victims_may_use_the_pool():
    """H35: they run inside the collector's callback."""
    ended = []

    class Noisy:
        def __del__(self):
            with pool.lease():
                ended.append(1)

    pool = ObjectPool(Noisy, reset=None, store="gc_victims", prewarm=3)
    gc.collect()
    gc.collect()
    assert len(ended) >= 3
    del Noisy.__del__
    pool.clear()


def test_the_collector_is_listened_to_once_and_only_where_there_are_victims():
    """It calls whoever listens at every collection, of young objects too."""
    program = (
        "import gc, poolware; pool = poolware.ObjectPool(list, reset=None); before = len(gc.callbacks)\n"
        "pools = [poolware.ObjectPool(list, reset=None, store='gc_victims') for _ in range(3)]\n"
        "print(before, len(gc.callbacks) - before, [c.__name__ for c in gc.callbacks].count('_age_all'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split()[1:] == ["1", "1"]


def test_a_store_of_victims_goes_with_its_pool():
    pool = tool_pool(store="gc_victims")
    store = weakref.ref(pool._idle)
    del pool
    gc.collect()
    assert store() is None


# --- stores of one's own ----------------------------------------------------------------------------------------------


class Smallest(list):
    """A user's own: hands out the object with the least resets."""

    def pop(self):
        return super().pop(min(range(len(self)), key=lambda place: self[place].resets, default=0))


def test_a_store_of_ones_own():
    pool = tool_pool(store=Smallest, prewarm=2)
    for _ in range(4):
        with pool.lease():
            pass
    assert len({tool.resets for tool in pool._idle}) == 1


class Clinging(list):
    """A faulty one: it goes on holding what it hands out."""

    handed_out: list = []  # noqa: RUF012

    def pop(self):
        self.handed_out.append(super().pop())
        return self.handed_out[-1]


def test_what_a_faulty_store_hands_out_is_not_lent():
    """H12: the proof of sole ownership is asked of every store."""
    pool = tool_pool(store=Clinging, prewarm=3)
    held = [pool.acquire() for _ in range(3)]
    assert not {id(tool) for tool in held} & {id(tool) for tool in Clinging.handed_out}
    stats = check_books(pool)
    assert (stats.hits, stats.quarantined) == (0, 3)


SHARED = FifoStore([object()])


@pytest.mark.parametrize("store", ["lifo", "", None, 5, [], deque(), dict, object, lambda: SHARED])
def test_store_must_be_one(store):
    """H40: nor one that is in use already."""
    with pytest.raises(BadOption, match=r"store=.*: it (takes 'stack', 'fifo'|made .*; it has to make an empty store)"):
        tool_pool(store=store)
