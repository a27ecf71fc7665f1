"""OpenTelemetry's instruments, named after the semantic conventions for connection pools."""

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from poolware import BufferPool, ObjectPool, ResourcePool
from poolware.observe import otel


@pytest.fixture
def reader():
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    otel.instrument(provider)
    yield reader
    provider.shutdown()


def collected(reader):
    """Return what was observed: by instrument, pool and state."""
    data = reader.get_metrics_data()
    return {
        (metric.name, point.attributes["poolware.pool.name"], point.attributes.get("poolware.state")): point.value
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    }


def test_a_resource_pool_as_the_conventions_say(reader):
    with ResourcePool(object, min_size=1, max_size=3, name="database") as pool, pool.lease():
        seen = collected(reader)
    stats = pool.get_stats()
    assert seen["poolware.count", "database", "used"] == 1
    assert seen["poolware.count", "database", "idle"] == 0
    assert seen["poolware.max", "database", None] == 3
    assert seen["poolware.idle.min", "database", None] == 1
    assert seen["poolware.pending_requests", "database", None] == 0
    assert seen["poolware.timeouts", "database", None] == 0
    assert seen["poolware.acquires", "database", None] == 1
    assert seen["poolware.wait_time", "database", None] == stats.wait.total > 0
    assert ("poolware.count", "database", "quarantined") not in seen


def test_the_other_kinds(reader):
    objects, buffers = ObjectPool(dict, reset=None, name="objects"), BufferPool(tiers=[1024], name="memory")
    with objects.lease(), buffers.lease(10):
        pass
    seen = collected(reader)
    assert seen["poolware.count", "objects", "idle"] == seen["poolware.misses", "objects", None] == 1
    assert seen["poolware.idle.max", "objects", None] == 1024
    assert seen["poolware.idle.size", "memory", None] == 1024
    assert ("poolware.timeouts", "memory", None) not in seen


def test_one_look_serves_all_instruments_of_a_collection(reader, monkeypatch):
    looks = []
    take = otel.take
    monkeypatch.setattr(otel, "take", lambda: looks.append(1) or take())
    monkeypatch.setattr(otel, "_FRESH", 3600.0)
    pool = ObjectPool(dict, reset=None, name="looked at")
    assert collected(reader)["poolware.acquires", pool.name, None] == 0
    assert len(looks) == 1
    monkeypatch.setattr(otel, "_FRESH", -1.0)
    with pool.lease():
        assert collected(reader)["poolware.acquires", pool.name, None] == 1


def test_units_are_those_of_the_conventions(reader):
    pool = BufferPool(name="units")
    metrics = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    units = {metric.name: metric.unit for metric in metrics if pool is not None}
    assert units["poolware.idle.size"] == "By"
    assert units["poolware.count"] == "{object}"
