"""PoolManager: each pool is made once, and everything wrong is said at the start."""

import threading

import anyio
import anyio.lowlevel
import pytest
from pool_samples import Tool

from poolware import (
    BadOption,
    BufferPool,
    ConfigurationError,
    Context,
    ImportPathError,
    ObjectPool,
    PoolClosed,
    PoolManager,
    PoolMissing,
    UnknownOption,
)


class Job(Context):
    name: str = ""


def test_pools_are_made_as_configured():
    config = {
        "jobs": {"kind": "object", "factory": Job, "max_idle": 7, "prewarm": 2},
        "tools": {"kind": "object", "factory": "pool_samples.Tool", "reset": "pool_samples:Tool.reset"},
        "uploads": {"kind": "buffer", "max_idle_bytes": 2**20},
    }
    with PoolManager(config) as pools:
        assert list(pools) == ["jobs", "tools", "uploads"]
        jobs = pools.get("jobs", ObjectPool[Job])
        assert (jobs.name, jobs.max_idle, jobs.get_stats().idle) == ("jobs", 7, 2)
        assert type(pools.get("tools", ObjectPool).acquire()) is Tool
        assert pools.get("uploads", BufferPool).max_idle_bytes == 2**20
        assert {name: stats.name for name, stats in pools.get_stats().items()} == {name: name for name in pools}


def test_a_pool_is_made_once():
    pools = PoolManager()
    first = pools.get_or_create("jobs", ObjectPool, Job, max_idle=3)
    assert pools.get_or_create("jobs", ObjectPool, Job, max_idle=5) is first is pools.get("jobs")
    assert (first.name, first.max_idle) == ("jobs", 3)
    assert pools.get_or_create("others", ObjectPool[Job], Job) is not first
    assert "others" in pools


def test_managers_share_nothing():
    """One per application: there is no global one."""
    ours, theirs = PoolManager(), PoolManager()
    assert ours.get_or_create("jobs", ObjectPool, Job) is not theirs.get_or_create("jobs", ObjectPool, Job)


class Door:
    """A lock that says how many have come to it."""

    def __init__(self):
        self.lock, self.came = threading.RLock(), threading.Semaphore(0)

    def __enter__(self):
        self.came.release()
        self.lock.acquire()

    def __exit__(self, *exc_info):
        self.lock.release()


def test_threads_that_ask_at_once_get_the_same_pool():
    """H34: one of them makes it, while the others wait for it."""
    pools, made, got = PoolManager(), [], []
    pools._lock = Door()

    def make(name):
        for _ in range(8):
            assert pools._lock.came.acquire(timeout=10)
        made.append(name)
        return ObjectPool(Job, name=name)

    threads = [threading.Thread(target=lambda: got.append(pools.get_or_create("jobs", make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["jobs"]
    assert len({id(pool) for pool in got}) == 1
    assert len(got) == 8


def test_making_a_pool_may_ask_for_another():
    """H35."""
    pools = PoolManager()

    def make(name):
        pools.get_or_create("inner", ObjectPool, Job)
        return ObjectPool(Job, name=name)

    pools.get_or_create("outer", make)
    assert list(pools) == ["inner", "outer"]


def test_a_pool_that_could_not_be_made_is_made_the_next_time():
    """H29."""
    pools = PoolManager()
    with pytest.raises(BadOption):
        pools.get_or_create("jobs", ObjectPool, Job, max_idle=-1)
    assert pools.get_or_create("jobs", ObjectPool, Job).name == "jobs"


def test_wrong_name_and_wrong_class():
    pools = PoolManager({"buffers": {"kind": "buffer"}})
    with pytest.raises(PoolMissing, match="there is no pool 'jobs'; there are 'buffers'"):
        pools.get("jobs")
    for ask in (lambda: pools.get("buffers", ObjectPool), lambda: pools.get_or_create("buffers", ObjectPool, Job)):
        with pytest.raises(
            BadOption, match="pool 'buffers': kind=ObjectPool: it takes BufferPool, the class of this pool"
        ):
            ask()


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"factory": Job}, BadOption, "kind=None: it takes 'buffer', 'object'"),
        ({"kind": "objects"}, BadOption, "kind='objects': it takes 'buffer', 'object'"),
        ({"kind": []}, BadOption, r"kind=\[\]: it takes"),
        (
            {"kind": "object", "factory": Job, "max_idel": 3},
            UnknownOption,
            "has no option 'max_idel'; it takes .*max_idle",
        ),
        ({"kind": "object", "factory": Job, "_home": 3}, UnknownOption, "has no option '_home'"),
        ({"kind": "object", "factory": Job, "name": "x"}, UnknownOption, "has no option 'name'"),
        ({"kind": "object", "factory": Job, "max_idle": "3"}, BadOption, "max_idle='3': it takes a whole number"),
        ({"kind": "object"}, BadOption, "factory is missing"),
        ({"kind": "object", "factory": "nowhere.Job"}, ImportPathError, "factory='nowhere.Job': No module named"),
        ({"kind": "object", "factory": "pool_samples.Jib"}, ImportPathError, "factory='pool_samples.Jib': "),
        ({"kind": "object", "factory": "pool_samples.Tool"}, ConfigurationError, "reset= is missing"),
        ({"kind": "buffer", "wipe": "never"}, BadOption, "wipe='never': it takes"),
        (["object"], BadOption, r"\['object'\]: it takes a mapping"),
    ],
)
def test_a_wrong_configuration_names_pool_and_option(config, error, message):
    """H40."""
    with pytest.raises(error, match=f"pool 'jobs'.*{message}"):
        PoolManager({"jobs": config})


def test_what_was_made_before_a_mistake_is_closed():
    closed = []

    class Own:
        def __init__(self, name):
            self.name = name

        def close(self):
            closed.append(self.name)

    with pytest.raises(BadOption, match="kind='oops'"):
        PoolManager({"one": {"kind": "own"}, "two": {"kind": "oops"}}, kinds={"own": Own})
    assert closed == ["one"]


def test_close_all_closes_the_last_one_first_and_all_of_them():
    closed = []

    class Own:
        def __init__(self, name, fails=False):
            self.name, self.fails = name, fails

        def close(self):
            closed.append(self.name)
            if self.fails:
                raise OSError(self.name)

    config = {"one": {"kind": "own"}, "two": {"kind": "own", "fails": True}, "three": {"kind": "own", "fails": True}}
    pools = PoolManager(config, kinds={"own": Own})
    with pytest.raises(ExceptionGroup) as raised:
        pools.close_all()
    assert [str(error) for error in raised.value.exceptions] == ["three", "two"]
    assert closed == ["three", "two", "one"]
    pools.close_all()
    for ask in (lambda: pools.get("one"), lambda: pools.get_or_create("one", Own)):
        with pytest.raises(PoolClosed, match="the pool manager is closed"):
            ask()


def test_aclose_all_awaits_what_closes_asynchronously():
    closed = []

    class Both:
        def __init__(self, name):
            self.name = name

        def close(self):
            closed.append("close")

        async def aclose(self):
            await anyio.lowlevel.checkpoint()
            closed.append("aclose")

    pools = PoolManager({"a": {"kind": "both"}, "b": {"kind": "buffer"}}, kinds={"both": Both})
    anyio.run(pools.aclose_all)
    assert (closed, list(pools)) == (["aclose"], [])


def test_closed_pools_keep_nothing():
    pools = PoolManager({"jobs": {"kind": "object", "factory": Job, "prewarm": 3}, "buffers": {"kind": "buffer"}})
    jobs, buffers = pools.get("jobs", ObjectPool[Job]), pools.get("buffers", BufferPool)
    buffers.acquire(10).release()
    held = [jobs.acquire()]
    pools.close_all()
    jobs.release(held.pop())
    assert (jobs.get_stats().idle, buffers.get_stats().idle) == (0, 0)


def test_a_kind_that_takes_anything():
    def make(name, **options):
        return BufferPool(name=name, **options)

    pools = PoolManager({"buffers": {"kind": "mine", "max_idle": 5}}, kinds={"mine": make})
    assert pools.get("buffers", BufferPool).max_idle == 5
