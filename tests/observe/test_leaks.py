"""Leak detection: each level fires, names who and where, and takes nothing away (H32)."""

import gc
import logging
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from poolware import BufferPool, Lifecycle, ObjectPool, RequestContext, ResourcePool
from poolware.errors import BadOption
from poolware.observe.leaks import leaks
from poolware.pools.ledger import SAMPLE


class Order(RequestContext):
    tenant: str = ""


class Tool:
    def reset(self):
        pass


class Buffers:
    """A buffer pool that is asked for one size."""

    def __init__(self, **options):
        self.pool = BufferPool(**options)
        self.name, self.release, self.get_stats = self.pool.name, self.pool.release, self.pool.get_stats
        self._noted, self._look_for_leaks = self.pool._noted, self.pool._look_for_leaks

    def acquire(self):
        return self.pool.acquire(1000)


class Resources(ResourcePool):
    _look_for_leaks = ResourcePool._look_after


POOLS = {
    "contexts": lambda **options: ObjectPool(Order, **options),
    "tools": lambda **options: ObjectPool(Tool, reset=Tool.reset, **options),
    "buffers": Buffers,
    "resources": lambda **options: Resources(Tool, **{"min_size": 0, "max_size": 2 * SAMPLE} | options),
}
every_kind = pytest.mark.parametrize("make", POOLS.values(), ids=POOLS)


def impatient(make):
    """A pool for which everything takes too long, and which is looked at by the tests alone."""
    pool = make(leak_detection="full", hold_limit=3600)
    told = pool._settings if isinstance(pool, ResourcePool) else getattr(pool, "pool", pool)._ledger
    told.hold_limit = 1e-9
    return pool


def forgetful(pool):
    """What a report is to point at."""
    return pool.acquire()


def scope(path="/orders/17"):
    return {"type": "http", "method": "GET", "path": path, "headers": []}


@every_kind
def test_off_notes_nothing(make):
    pool = make()
    held = forgetful(pool)
    assert leaks(pool) == []
    pool.release(held)


@every_kind
def test_full_notes_everything(make):
    pool = make(leak_detection="full")
    held = [forgetful(pool) for _ in range(3)]
    found = leaks(pool)
    assert len(found) == 3
    assert {(leak.pool, leak.type) for leak in found} == {(pool.name, type(held[0]).__name__)}
    assert all("in forgetful" in leak.stack for leak in found)
    assert all("poolware/" not in leak.stack for leak in found)
    assert found[0].age >= found[1].age >= found[2].age > 0
    for obj in held:
        pool.release(obj)
    assert leaks(pool) == []


@every_kind
def test_sampled_notes_one_in_so_many(make):
    pool = make(leak_detection="sampled")
    held = [forgetful(pool) for _ in range(SAMPLE + 1)]
    assert len(leaks(pool)) == 2
    while held:
        pool.release(held.pop())
    assert pool.get_stats().hold.count in {2, SAMPLE + 1}  # a resource pool times everything


@every_kind
def test_nothing_that_is_held_is_taken_away(make):
    """H32: however long it takes, however often somebody looks."""
    pool = impatient(make)
    held = forgetful(pool)
    for _ in range(3):
        pool._look_for_leaks()
        assert len(leaks(pool)) == 1
    assert pool.get_stats().in_use == 1
    pool.release(held)
    stats = pool.get_stats()
    assert (stats.acquired, stats.released, stats.idle + stats.quarantined if hasattr(stats, "quarantined") else 1) == (
        1,
        1,
        1,
    )


@every_kind
def test_what_is_held_for_too_long_is_logged_once(make, caplog):
    pool = impatient(make)
    held = forgetful(pool)
    for _ in range(3):
        pool._look_for_leaks()
    (record,) = (record for record in caplog.records if "has been in use for" in record.message)
    assert record.levelno == logging.WARNING
    assert repr(pool.name) in record.message
    assert "in forgetful" in record.message
    assert pool.get_stats().held_too_long == 1
    pool.release(held)
    held = forgetful(pool)  # another use, and another report
    pool._look_for_leaks()
    assert pool.get_stats().held_too_long == 2
    pool.release(held)


@pytest.mark.parametrize("make", [POOLS["contexts"], POOLS["tools"], POOLS["resources"]])
def test_what_nobody_holds_any_more_is_logged_and_taken_back(make, caplog):
    pool = make(leak_detection="full")
    forgetful(pool)
    pool._look_for_leaks()
    (record,) = (record for record in caplog.records if "was never released" in record.message)
    assert "in forgetful" in record.message
    stats = pool.get_stats()
    assert (stats.lost, stats.in_use) == (1, 0)
    assert leaks(pool) == []


def test_a_buffer_that_nobody_holds_any_more_is_a_leak_no_more():
    pool = BufferPool(leak_detection="full")
    pool.acquire(10)
    gc.collect()
    assert leaks(pool) == []
    assert pool._ledger.notes() == {}


def test_the_limit_is_looked_at_by_the_heartbeat(caplog):
    for pool in (
        POOLS["tools"](leak_detection="full", hold_limit=0.01),
        BufferPool(leak_detection="full", hold_limit=0.01),
    ):
        held = pool.acquire(10) if isinstance(pool, BufferPool) else pool.acquire()
        end = time.monotonic() + 20
        while not pool.get_stats().held_too_long and time.monotonic() < end:
            time.sleep(0.005)
        assert pool.get_stats().held_too_long == 1
        pool.release(held)
        pool.close()


def test_a_report_names_the_request_and_the_holders():
    lifecycle = Lifecycle(Order, leak_detection="full")
    carrier = scope()
    ctx = lifecycle.begin(carrier)
    (leak,) = leaks(lifecycle.pool)
    assert leak.request == "GET /orders/17"
    assert any("variable ctx of" in holder for holder in leak.holders)
    assert any("poolware.ctx" in holder for holder in leak.holders)
    text = str(leak)
    assert text.startswith("pool 'Order': a Order has been in use for GET /orders/17 for ")
    assert all(line in text for line in (leak.stack, *leak.holders))
    del ctx
    lifecycle.finish(carrier)
    assert leaks(lifecycle.pool) == []


@pytest.mark.parametrize("make", [POOLS["tools"], POOLS["resources"]])
def test_a_report_names_the_request_that_has_borrowed(make):
    pool, lifecycle = make(leak_detection="full"), Lifecycle(Order)
    carrier = scope("/reports")
    lifecycle.begin(carrier).borrow(pool)
    (leak,) = leaks(pool)
    assert leak.request == "GET /reports"
    lifecycle.finish(carrier)
    assert leaks(pool) == []


def test_a_report_names_the_request_that_has_a_buffer():
    lifecycle, carrier = Lifecycle(Order, leak_detection="full"), scope("/export")
    buffers = lifecycle.buffers
    lifecycle.begin(carrier).buffer(100)
    (leak,) = leaks(buffers)
    assert (leak.request, leak.type) == ("GET /export", "Buffer")
    lifecycle.finish(carrier)
    assert leaks(buffers) == []


def test_secrets_are_not_in_a_report():
    """H15."""
    pool = ObjectPool(Order, leak_detection="full")
    ctx = pool.acquire()
    ctx.tenant = "s3cr3t-tenant"
    assert "s3cr3t" not in str(leaks(pool)[0])
    pool.release(ctx)


def test_every_pool_of_the_process_is_looked_at_unless_told_otherwise():
    one, other = POOLS["tools"](leak_detection="full"), POOLS["tools"](leak_detection="full")
    held = one.acquire(), other.acquire()
    assert sum("held = one" in leak.stack for leak in leaks()) == 2
    assert len(leaks(one)) == 1
    assert leaks(one, other, older_than=3600) == []
    one.release(held[0])
    other.release(held[1])


def test_surplus_is_noted_and_told():
    pool = POOLS["tools"](leak_detection="full", max_idle=0)
    held = pool.acquire()
    (leak,) = leaks(pool)
    assert not any("under" in holder for holder in leak.holders)
    pool.release(held)
    assert pool.get_stats().hold.count == 1


@every_kind
def test_bad_input(make):
    """H40."""
    with pytest.raises(BadOption, match="leak_detection='some'"):
        make(leak_detection="some")
    with pytest.raises(BadOption, match="hold_limit=-1"):
        make(leak_detection="full", hold_limit=-1)
    with pytest.raises(BadOption, match="older_than=-1"):
        leaks(older_than=-1)


@pytest.mark.parametrize("make", [POOLS["contexts"], POOLS["tools"], POOLS["buffers"]])
def test_a_limit_needs_times(make):
    with pytest.raises(BadOption, match="hold_limit=1: it takes leak_detection="):
        make(hold_limit=1)


def test_a_stack_that_cannot_be_read_fails_no_acquisition():
    """The loader of a module is asked for its source."""

    class Loader:
        def get_source(self, name):
            raise ValueError(name)

    pool = POOLS["tools"](leak_detection="full")
    names = {"__name__": "odd", "__loader__": Loader(), "pool": pool}
    exec(compile("held = pool.acquire()", "odd_module.py", "exec"), names)
    assert len(leaks(pool)) == 1
    pool.release(names.pop("held"))


@pytest.mark.parametrize("make", [POOLS["contexts"], POOLS["tools"]])
def test_a_reset_may_take_as_long_as_it_wants_while_somebody_pops(make):
    """No lock that an acquisition needs is held while statistics are read."""
    pool = make(leak_detection="full")
    with pool._popping, ThreadPoolExecutor(1) as executor:
        held = executor.submit(pool.acquire).result(20)
        executor.submit(pool.release, held).result(20)
    assert pool.pop_stats().acquired == 1
