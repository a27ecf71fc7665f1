"""A million cycles leave every reference count and the number of objects and blocks as they were."""

import gc
import sys
from contextlib import suppress
from typing import Any

import pytest
from twins import COMPILED

from poolware import Context, Lifecycle, ObjectPool, RequestContext, SecretField, field, secret
from poolware.errors import ReleaseError

pytestmark = COMPILED


class Job(Context):
    rows: list[Any] = field(factory=list)
    names: set[Any] = field(factory=set)
    raw: Any = field(factory=bytearray, sensitive=True)
    kept: Any = field(factory=list, reset=list.clear)
    token: SecretField = secret()
    note: Any = "rests"
    hidden: Any = field(default="rests", sensitive=True)


class Simple(RequestContext):
    rows: list[Any] = field(factory=list)
    note: Any = "rests"


WORD, VALUE = "rests", "a value that is nobody else's"


class Uses:
    """What is done again and again; nothing may stay of it."""

    def __init__(self):
        self.pool = ObjectPool(Job)
        self.lifecycle = Lifecycle(Simple)
        self.carrier = {"type": "http"}

    def served(self):
        self.lifecycle.begin(self.carrier).note = VALUE
        self.lifecycle.finish(self.carrier)

    def served_and_used(self):
        ctx = self.lifecycle.begin(self.carrier)
        ctx.rows.append(VALUE)
        ctx.params["k"] = VALUE
        del ctx
        self.lifecycle.finish(self.carrier)

    def leased(self):
        job = self.pool.acquire()
        job.note = job.hidden = VALUE
        job.rows.append(VALUE)
        job.names.add(VALUE)
        job.kept.append(VALUE)
        job.token = "s"
        self.pool.release(job)
        del job
        self.pool.get_stats()

    def deleted(self):
        job = self.pool.acquire()
        job.rows.append(VALUE)
        del job.hidden, job.note
        self.pool.release(job)
        del job
        self.pool.get_stats()

    def refused(self):
        job = self.pool.acquire()
        self.pool.release(job)
        with suppress(ReleaseError):
            self.pool.release(job)
        del job
        self.pool.get_stats()

    def cleared(self):
        self.pool.prewarm(3)
        self.pool.clear()

    def refuses_carriers(self):
        for call in (self.lifecycle.begin, self.lifecycle.finish):
            with suppress(TypeError, AttributeError):
                call(7)
        self.lifecycle.pool.get_stats()


def figures(uses):
    gc.collect()
    plans = Job.__poolware_plan__, Simple.__poolware_plan__
    participants = [None, True, False, list, set, bytearray, WORD, VALUE, Job, Simple, uses.pool, uses.lifecycle]
    participants += [plan.sealed for plan in plans] + [list.clear, uses.carrier, uses.pool._idle, uses.pool._kind.lent]
    counts = [sys.getrefcount(one) for one in participants]
    return counts, len(gc.get_objects()), sys.getallocatedblocks()


@pytest.mark.parametrize(
    ("use", "times"),
    [("served", 600_000), ("served_and_used", 300_000), ("leased", 50_000)]
    + [(name, 15_000) for name in ("deleted", "refused", "cleared", "refuses_carriers")],
)
def test_a_million_cycles_leave_nothing_behind(use, times, caplog):
    caplog.set_level("CRITICAL")
    uses = Uses()
    again = getattr(uses, use)
    for _ in range(300):
        again()
    before = figures(uses)
    before = figures(uses)
    for _ in range(times):
        again()
    after = figures(uses)
    counts = zip(before[0], after[0], strict=True)
    assert max(abs(then - now) for then, now in counts) < 100
    assert abs(after[1] - before[1]) < 100
    assert abs(after[2] - before[2]) < 300
