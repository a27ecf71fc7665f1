"""One view of every pool: what is in it, and how several become one."""

import dataclasses
import gc
import json
import logging
import re
import threading
from pathlib import Path

import pytest

from poolware import BufferPool, BufferStats, ObjectPool, PoolStats, ResourcePool, ResourcePoolStats
from poolware.observe.metrics import COUNTERS, GAUGES, LIMITS
from poolware.observe.snapshot import Histogram, PoolSnapshot, merge, take
from poolware.pools.forks import all_pools

DOCS = (Path(__file__).parents[2] / "docs" / "observability.md").read_text()
ELSEWHERE = {"name", "destroyed", "wait", "hold", "last_access", "last_error"}
"""Fields of statistics that are no single figure. An error's text may hold a password, and goes nowhere (H15)."""


def of(name):
    (found,) = (snapshot for snapshot in take() if snapshot.pool == name)
    return found


def test_an_object_pool():
    pool = ObjectPool(dict, reset=dict.clear, max_idle=3, name="an object pool")
    with pool.lease(), pool.lease():
        pass
    with pool.lease():
        seen = of("an object pool")
    assert (seen.kind, seen.limits) == ("object", {"max_idle": 3})
    assert seen.gauges == {"in_use": 1, "idle": 1, "quarantined": 0, "peak_in_use": 2}
    assert (seen.counters["acquired"], seen.counters["hits"], seen.counters["misses"]) == (3, 1, 2)
    assert (seen.size, seen.utilisation, seen.hit_rate) == (2, None, pytest.approx(1 / 3))
    assert seen.wait is None


def test_a_buffer_pool():
    pool = BufferPool(tiers=[1024], max_idle=3, max_idle_bytes=2048, name="a buffer pool")
    with pool.lease(100):
        pass
    seen = of("a buffer pool")
    assert (seen.kind, seen.limits) == ("buffer", {"max_idle": 3, "max_idle_bytes": 2048})
    assert seen.utilisation is None
    assert (seen.gauges["idle"], seen.gauges["idle_bytes"]) == (1, 1024)
    assert seen.miss_rate == 1


def test_a_resource_pool():
    """Acquisitions served at once are in the first class of the histogram; its sum is that of all."""
    with ResourcePool(object, max_size=4, min_size=0, name="a resource pool") as pool:
        first = pool.acquire()
        for _ in range(3):
            pool.release(first)
            first = pool.acquire()
        seen = of("a resource pool")
        assert (seen.kind, seen.limits) == ("resource", {"min_size": 0, "max_size": 4})
        assert (seen.utilisation, seen.hit_rate) == (0.25, 0.75)
        assert sum(seen.wait.counts) == seen.counters["acquired"] == 4
        assert seen.counters["waits"] == 1
        assert seen.wait.sum == seen.counters["wait_total"] == pool.get_stats().wait.total
        pool.release(first, failed=True)
        del first
        assert of("a resource pool").destroyed == {"failed": 1}


def test_a_wait_is_in_its_class():
    with ResourcePool(object, max_size=1, min_size=0, name="waited for") as pool:
        held = pool.acquire()
        release = threading.Timer(0.06, lambda: pool.release(held))
        release.start()
        pool.release(pool.acquire())
        longest = pool.get_stats().wait.max
        seen = of("waited for").wait
        assert seen.quantile(1.0) == min(bound for bound in seen.bounds if bound >= longest)
        release.join()


@pytest.mark.parametrize("stats", [PoolStats, BufferStats, ResourcePoolStats])
def test_every_figure_of_the_statistics_is_told(stats):
    """Whoever adds a field to a pool's statistics adds it to the table in observe/metrics.py, and to the docs."""
    told = {metric.field for metric in (*LIMITS, *GAUGES, *COUNTERS)}
    assert {field.name for field in dataclasses.fields(stats)} - told - ELSEWHERE == set()


def test_names_are_not_used_twice():
    metrics = (*LIMITS, *GAUGES, *COUNTERS)
    assert len({metric.field for metric in metrics}) == len({metric.name for metric in metrics}) == len(metrics)


@pytest.mark.parametrize("metric", [*LIMITS, *GAUGES], ids=lambda metric: metric.name)
def test_gauges_are_documented(metric):
    assert f"| `poolware_{metric.name}` | `{metric.field}` | " in DOCS


@pytest.mark.parametrize("metric", COUNTERS, ids=lambda metric: metric.name)
def test_counters_are_documented(metric):
    assert f"| `poolware_{metric.name}_total` | `{metric.field}` | " in DOCS


def test_nothing_else_is_documented():
    documented = set(re.findall(r"^\| `poolware_(\w+?)(?:_total)?` \|", DOCS, flags=re.MULTILINE))
    assert documented == {metric.name for metric in (*LIMITS, *GAUGES, *COUNTERS)} | {
        "acquire_wait_seconds",
        "destructions",
    }


def test_pools_of_one_name_are_told_apart_for_as_long_as_they_live():
    """The older keeps its name; the next one gets what has become free, and is known to be another."""
    first, second = (ObjectPool(dict, reset=None, name="twin") for _ in range(2))
    second.acquire()
    assert [(seen.pool, seen.counters["acquired"]) for seen in take() if "twin" in seen.pool] == [
        ("twin", 0),
        ("twin (2)", 1),
    ]
    number = of("twin").number
    del first
    gc.collect()
    assert [seen.pool for seen in take() if "twin" in seen.pool] == ["twin (2)"]
    third = ObjectPool(dict, reset=None, name="twin")
    assert of("twin").number != number
    assert of("twin (2)").counters["acquired"] == 1
    assert third.name == second.name == "twin"


def test_a_name_that_is_no_text_harms_nobody():
    pool = ObjectPool(dict, reset=None, name="odd \ud800")
    assert of("odd ?").pool == pool.name.replace("\ud800", "?")


def test_pools_come_in_the_order_in_which_they_were_made():
    pools = [ObjectPool(dict, reset=None, name=f"order {number}") for number in range(50)]
    assert [pool for pool in all_pools() if pool in pools] == pools


def test_it_can_be_read_back():
    with ResourcePool(object, name="read back") as pool, pool.lease():
        seen = of("read back")
    assert PoolSnapshot.from_dict(json.loads(json.dumps(seen.as_dict()))) == dataclasses.replace(seen, number=0)


def test_several_processes_become_one():
    """Sums, except for what is a peak; each kind for itself; what only one has is kept."""
    wait = Histogram((1.0,), (2, 1), 3.5)
    one = PoolSnapshot(
        "p", "resource", {"max_size": 2}, {"in_use": 1, "peak_in_use": 2}, {"waits": 1}, {"idle": 1}, wait
    )
    other = PoolSnapshot("p", "resource", {"max_size": 2}, {"in_use": 2, "peak_in_use": 1}, {}, {"closed": 2}, wait)
    alien = PoolSnapshot("p", "object", {}, {"in_use": 5}, {})
    together, alone = merge([one, other, alien])
    assert (together.limits, together.gauges) == ({"max_size": 4}, {"in_use": 3, "peak_in_use": 2})
    assert (together.counters, together.destroyed) == ({"waits": 1}, {"idle": 1, "closed": 2})
    assert (together.wait, together.processes) == (Histogram((1.0,), (4, 2), 7.0), 2)
    assert together.utilisation == 0.75
    assert alone == alien


def test_quantiles_are_rounded_up_to_a_bound():
    waits = Histogram((0.1, 1.0), (98, 1, 1), 3.0)
    assert [waits.quantile(share) for share in (0.5, 0.98, 0.981, 0.99, 0.991)] == [0.1, 0.1, 1.0, 1.0, float("inf")]
    assert Histogram((0.1,), (0, 0), 0.0).quantile(0.99) is None
    assert waits.minus(Histogram((0.1, 1.0), (90, 1, 0), 1.0)) == Histogram((0.1, 1.0), (8, 0, 1), 2.0)


def test_a_pool_that_cannot_tell_keeps_no_other_from_it(caplog, monkeypatch):
    broken, whole = (ObjectPool(dict, reset=None, name=name) for name in ("broken", "whole"))
    monkeypatch.setattr(broken, "get_stats", lambda: 1 / 0)
    caplog.set_level(logging.ERROR)
    names = [seen.pool for seen in take()]
    assert "whole" in names
    assert "broken" not in names
    assert "the statistics of 'broken' could not be read" in caplog.text
    assert whole.name == "whole"
