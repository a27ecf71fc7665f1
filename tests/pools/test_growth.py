"""Building ahead: how much, when, and never in a request."""

import threading

import pytest
from pool_samples import HEARTBEAT, STORES, Tool, check_books, makers, tool_pool

from poolware import (
    BadOption,
    Block,
    Context,
    DynamicSizing,
    Fixed,
    LeaseRate,
    ObjectPool,
    TinyStep,
    Usage,
    Watermark,
    when_empty,
)
from poolware.pools.tending import growing
from poolware.pools.tending.growing import Grower
from poolware.pools.tending.growth import WhenEmpty
from poolware.pools.tending.idle_timeout import IdleTimeout


class Clock:
    """A clock that goes when it is told to."""

    now = 1000.0

    def __call__(self):
        return self.now


class Job(Context):
    name: str = ""


MAKERS = makers(Job)


class Load:
    """A pool under a load in steps of `seconds`, with a look at the end of each."""

    def __init__(self, strategy, seconds=0.1, make=tool_pool, **options):
        self.pool = make(**options)
        self.clock = Clock()
        self.grower = Grower(strategy, self.pool, self.clock)
        self.seconds = seconds
        self.held = []

    def step(self, *, take=0, give=0):
        """Take and give back evenly; return how many acquisitions found nothing."""
        misses = self.pool.get_stats().misses
        for _ in range(take):
            self.held.append(self.pool.acquire())
        for _ in range(give):
            self.pool.release(self.held.pop())
        self.clock.now += self.seconds
        count = self.grower.wanted()
        if count:
            self.grower.build(count)
        return self.pool.get_stats().misses - misses


# --- triggers and steps -----------------------------------------------------------------------------------------------


def test_when_empty_builds_nothing_ahead():
    """Who finds nothing pays: in a ramp everybody does."""
    load = Load(when_empty)
    assert sum(load.step(take=5) for _ in range(20)) == 100
    assert load.pool.get_stats().created == 100


@pytest.mark.parametrize(
    "strategy",
    [
        Watermark(0.25),
        Watermark(0.25, step=TinyStep(4)),
        Watermark(0.25, step=Fixed(10)),
        LeaseRate(1.0),
        LeaseRate(1.0, step=Block(0.25)),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["contexts, stack", "tools, stack", "tools, thread"])
def test_no_acquisition_pays_in_a_ramp(strategy, kind):
    """30 leases and 10 returns a second: 0 misses once it has seen the rate."""
    load = Load(strategy, make=MAKERS[kind])
    warm_up = sum(load.step(take=3, give=1) for _ in range(10))
    assert warm_up > 0
    assert sum(load.step(take=3, give=1) for _ in range(200)) == 0
    assert check_books(load.pool).in_use == 420


@pytest.mark.parametrize(("fraction", "in_use", "reserve"), [(0.25, 75, 25), (0.25, 0, 0), (0.5, 7, 7), (0.1, 10, 2)])
def test_watermark_keeps_a_share_at_rest(fraction, in_use, reserve):
    assert Watermark(fraction).reserve(Usage(0, in_use, 0, 0)) == reserve


@pytest.mark.parametrize(("leases", "returns", "reserve"), [(20, 10, 100), (10, 10, 0), (10, 20, 0), (0.05, 0, 1)])
def test_lease_rate_has_what_will_be_taken_within_its_horizon(leases, returns, reserve):
    """The classic example: 100 objects, 20 leases and 10 returns a second, are gone in 10 seconds."""
    assert LeaseRate(10.0).reserve(Usage(0, 0, leases, returns)) == reserve


def test_lease_rate_builds_from_ten_seconds_before_the_end():
    load = Load(LeaseRate(10.0), seconds=1.0, prewarm=200)
    built = []
    for _ in range(20):
        load.step(take=20, give=10)
        built.append(load.pool.get_stats().created - 200)
    assert built.index(next(filter(None, built))) == 10  # 110 taken, 90 left, 10 a second
    assert load.pool.get_stats().misses == 0


def test_a_jump_is_not_taken_for_a_ramp():
    """As many again as were taken are built, and no more however long one waits."""
    load = Load(LeaseRate(1.0))
    load.step(take=50)
    for _ in range(30):
        load.step()
    assert load.pool.get_stats().created == 100


@pytest.mark.parametrize(
    ("step", "missing", "size", "count"),
    [
        (Fixed(8), 1, 1000, 8),
        (Fixed(8), 100, 0, 8),
        (TinyStep(), 7, 1000, 7),
        (TinyStep(5), 7, 1000, 10),
        (Block(0.25), 1, 100, 25),
        (Block(0.25), 26, 100, 50),
        (Block(0.25), 3, 0, 3),
    ],
    ids=str,
)
def test_steps(step, missing, size, count):
    assert step.count(missing, size) == count


# --- loads ------------------------------------------------------------------------------------------------------------


LOADS = {
    "step": [20] * 50 + [100] * 100 + [20] * 50,
    "burst": [20] * 50 + [200] * 3 + [20] * 30 + [200] * 3 + [20] * 50,
    "diurnal": [20 + abs(100 - at % 200) for at in range(400)] + [20] * 50,
}


STRATEGIES = {
    "when_empty": when_empty,
    "watermark": Watermark(0.25),
    "fixed steps": Watermark(0.5, Fixed(10)),
    "lease rate": LeaseRate(1.0),
}


def under(shape, strategy):
    """Put a load on a pool; return what rested after each look, and the acquisitions that found nothing after 50."""
    load = Load(strategy)
    timeout = IdleTimeout(load.pool, 0, load.grower)
    at_rest, missed = [], []
    for target in LOADS[shape]:
        take = max(0, target - len(load.held)) + 4
        missed.append(load.step(take=take, give=len(load.held) + take - target))
        timeout.beat()
        at_rest.append(load.pool.get_stats().idle)
    return at_rest, sum(missed[50:])


@pytest.mark.parametrize("shape", LOADS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_after_a_load_memory_is_back(strategy, shape):
    """H30: within a tenth of what rested before it, one idle timeout afterwards."""
    at_rest, _ = under(shape, STRATEGIES[strategy])
    assert max(at_rest) > at_rest[49] >= at_rest[-1] / 1.1


def test_what_a_day_costs_its_requests():
    """Rising and falling, with turns that a rate sees late."""
    missed = {name: under("diurnal", strategy)[1] for name, strategy in STRATEGIES.items()}
    assert missed["watermark"] == missed["fixed steps"] == 0
    assert 0 < missed["lease rate"] < missed["when_empty"] / 4


# --- on a pool --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", STORES)
def test_building_ahead_stops_at_max_idle(store):
    """The hard bound: what is in use counts, because it will come back to rest."""
    load = Load(Watermark(0.5, step=Block(0.9)), store=store, max_idle=30)
    for _ in range(10):
        load.step(take=2)
    stats = check_books(load.pool)
    assert (stats.in_use, stats.idle, stats.created) == (20, 10, 30)


@HEARTBEAT
def test_the_heartbeat_builds_and_no_acquisition_does():
    """In threads other than the one that acquires."""
    builders, built = set(), threading.Semaphore(0)

    def build():
        builders.add(threading.current_thread())
        built.release()
        return Tool()

    pool = ObjectPool(build, reset=Tool.reset, growth=Watermark(0.5, period=0.002))
    held = [pool.acquire()]
    for _ in range(2):
        assert built.acquire(timeout=10)
    assert threading.current_thread() in builders
    assert len(builders) == 2
    assert (check_books(pool).misses, len(held)) == (1, 1)
    pool.close()


def test_a_failing_factory_is_asked_again_after_a_pause():
    """H29: not at every look."""
    asked = []

    def fail():
        asked.append(1)
        if len(asked) < 3:
            raise OSError("disk full")
        return Tool()

    load = Load(Watermark(0.5))
    load.step(take=4)
    load.pool._kind.build = fail
    load.pool.clear()
    for _ in range(2):
        load.clock.now += 1
        with pytest.raises(OSError, match="disk full"):
            load.grower.build(load.grower.wanted())
        assert load.grower.wanted() == 0
    load.clock.now += 1
    load.grower.build(load.grower.wanted())
    assert check_books(load.pool, cleared=4).idle == 4


def test_what_comes_free_in_quarantine_is_not_built():
    """Somebody still held it at its release, and does no more."""
    load = Load(Watermark(0.5), make=MAKERS["contexts, stack"])
    held = [load.pool.acquire() for _ in range(4)]
    load.held.extend(load.pool.acquire() for _ in range(4))
    also = list(held)
    for number in range(4):
        load.pool.release(held[number])
    held.clear()
    also.clear()
    assert load.grower.wanted() == 4
    load.grower.build(4)
    stats = check_books(load.pool)
    assert (stats.created, stats.idle, stats.in_use) == (8, 4, 4)


def test_what_builds_is_not_started_twice():
    load = Load(Watermark(0.5))
    load.held.append(load.pool.acquire())
    begun, go_on = threading.Semaphore(0), threading.Event()

    def build():
        begun.release()
        go_on.wait(10)
        return Tool()

    load.pool._kind.build = build
    load.grower.beat()
    assert begun.acquire(timeout=10)
    load.grower.beat()
    assert not begun.acquire(blocking=False)
    go_on.set()


def test_growing_goes_on_where_no_thread_could_be_started(monkeypatch):
    load = Load(Watermark(0.5))
    load.held.append(load.pool.acquire())

    def fail(*_args):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(growing, "run_apart", fail)
    with pytest.raises(RuntimeError):
        load.grower.beat()
    load.grower.beat()
    load.clock.now += 1
    assert load.grower.wanted() == 1


@pytest.mark.parametrize("mode", ["off", "debug"])
def test_nothing_is_built_ahead_where_nothing_is_reused(monkeypatch, mode):
    monkeypatch.setenv("POOLWARE_MODE", mode)
    pool = tool_pool(growth=Watermark(), idle_timeout=5.0, sizing=DynamicSizing())
    assert pool._tending._beats == []
    held = pool.acquire()
    pool._build_ahead(5)
    assert (pool.get_stats().created, held.owner) == (1, None)


def test_a_pool_without_strategies_has_no_beat():
    assert tool_pool()._tending._beats == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: Watermark(1.0),
        lambda: Watermark(0),
        lambda: Watermark("25 %"),
        lambda: Watermark(period=0),
        lambda: Watermark(step=5),
        lambda: Watermark(step=TinyStep),
        lambda: LeaseRate(1.0, step="10 %"),
        lambda: LeaseRate(0),
        lambda: LeaseRate(True),
        lambda: LeaseRate(-1.0),
        lambda: Fixed(0),
        lambda: TinyStep(1.5),
        lambda: Block(25),
        lambda: tool_pool(growth=Watermark),
        lambda: tool_pool(growth="when_empty"),
        lambda: tool_pool(growth=None),
        lambda: tool_pool(growth=WhenEmpty()),
        lambda: tool_pool(idle_timeout=0),
        lambda: tool_pool(sizing=1.5),
    ],
)
def test_bad_options(make):
    """H40."""
    with pytest.raises(BadOption, match=r"\w+=.*: it takes"):
        make()
