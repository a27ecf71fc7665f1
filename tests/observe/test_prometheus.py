"""Plain counters and gauges of prometheus-client, which add up to exactly what the pools have counted."""

import gc
import os
import random
import subprocess
import sys
import threading
from functools import partial

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from poolware import ObjectPool, ResourcePool
from poolware._core.histogram import WAIT_BOUNDS
from poolware.observe.prometheus import PrometheusExporter
from poolware.observe.snapshot import Histogram, PoolSnapshot, take


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def export(registry):
    return PrometheusExporter(registry)


def value(registry, name, pool, kind="object", **labels):
    return registry.get_sample_value(f"poolware_{name}", {"pool": pool, "kind": kind, **labels})


def test_counters_add_up_however_often_and_from_wherever_it_is_called(registry, export):
    """Threads use a pool while others export it; in the end the sum is that of the pool (H34)."""
    pool, stop = ObjectPool(dict, reset=dict.clear, max_idle=2, name="busy"), threading.Event()

    def use():
        for _ in range(2000):
            with pool.lease():
                if random.random() < 0.01:
                    with pool.lease():
                        pass

    def watch():
        while not stop.is_set():
            export(take())

    users, watchers = ([threading.Thread(target=what) for _ in range(4)] for what in (use, watch))
    for thread in (*users, *watchers):
        thread.start()
    for thread in users:
        thread.join()
    stop.set()
    for thread in watchers:
        thread.join()
    export(take())
    stats = pool.get_stats()
    assert value(registry, "acquires_total", "busy") == stats.acquired >= 8000
    assert value(registry, "releases_total", "busy") == stats.released
    assert value(registry, "misses_total", "busy") == stats.misses
    assert value(registry, "hits_total", "busy") == stats.hits
    assert value(registry, "drops_total", "busy") == stats.dropped


def test_a_pool_that_takes_the_name_of_one_that_is_gone_adds_to_its_counts(registry, export):
    for count in (3, 2):
        pool = ObjectPool(dict, reset=None, name="again")
        for _ in range(count):
            with pool.lease():
                pass
        export(take())
        assert value(registry, "pool_max_idle", "again") == 1024
        del pool
        gc.collect()
    assert value(registry, "acquires_total", "again") == 5
    export(take())
    assert value(registry, "pool_max_idle", "again") == 0
    assert value(registry, "pool_idle", "again") == 0


def test_a_figure_that_was_told_too_high_is_not_told_twice(registry, export):
    """A pool may be seen in the middle of an acquisition that comes to nothing."""
    for acquired in (5, 6, 5, 6, 7):
        export([PoolSnapshot("p", "resource", {}, {}, {"acquired": acquired}, number=1)])
    assert value(registry, "acquires_total", "p", "resource") == 7


def test_waits_are_a_histogram(registry, export):
    counts = [0] * 13
    for more in ([4, 0, 0, 1], [9, 0, 2, 1]):
        counts[: len(more)] = more
        wait = Histogram(WAIT_BOUNDS, tuple(counts), float(sum(more)))
        export([PoolSnapshot("p", "resource", {}, {}, {}, {"idle": more[0]}, wait, number=1)])
    bucket = partial(value, registry, "acquire_wait_seconds_bucket", "p", "resource")
    assert [bucket(le="0.001"), bucket(le="0.005"), bucket(le="+Inf")] == [9, 11, 12]
    assert value(registry, "acquire_wait_seconds_sum", "p", "resource") == 12
    assert value(registry, "destructions_total", "p", "resource", cause="idle") == 9


def test_every_pool_has_every_figure_from_the_start(registry, export):
    """A rate needs a zero to begin with."""
    with ResourcePool(object, name="at rest") as pool:
        export(take())
        assert value(registry, "timeouts_total", pool.name, "resource") == 0
        assert value(registry, "acquire_wait_seconds_count", pool.name, "resource") == 0


def test_labels_are_pools_kinds_and_causes(registry, export):
    """H37"""
    with ResourcePool(object, name="labels") as pool:
        pool.release(pool.acquire(), failed=True)
        export(take())
    text = generate_latest(registry).decode()
    used = {label for family in text_string_to_metric_families(text) for s in family.samples for label in s.labels}
    assert used == {"pool", "kind", "cause", "le"}


def test_metrics_are_registered_once(registry, export):
    with pytest.raises(ValueError, match="Duplicated"):
        PrometheusExporter(registry)


def test_two_first_calls_at_the_same_moment():
    """Two first scrapes of a worker with threads."""
    code = (
        "import sys, threading; sys.setswitchinterval(1e-6); from poolware.observe.prometheus import exporter;"
        "found = []; threads = [threading.Thread(target=lambda: found.append(exporter())) for _ in range(8)];"
        "[t.start() for t in threads]; [t.join() for t in threads];"
        "assert len(found) == 8 and len({*map(id, found)}) == 1"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_counts_from_the_beginning(registry, export):
    """H26: what the parent has told is not what the child's pools have counted."""
    pool = ObjectPool(dict, reset=None, name="parent's")
    with pool.lease(), pool.lease():
        export(take())
    child = os.fork()
    if not child:
        with pool.lease():
            export(take())
        os._exit(int(value(registry, "acquires_total", "parent's")))
    # The child's counters go on from its parent's where prometheus-client's multiprocess mode does not separate them.
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2 + 1
