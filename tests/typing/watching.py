"""Events, alerts, statistics and the checks for an application's own tests."""

from __future__ import annotations

from typing import Any, assert_type

from poolware import BufferPool, ObjectPool, PoolUnavailable, RequestRefused, ResourcePool
from poolware.observe import Alert, Alerts, PoolSnapshot, Share, Watch, log_alert, start, take
from poolware.observe.events import Collector, Event, EventKind, subscribe
from poolware.sizing import (
    BreakEven,
    Measurement,
    PoolSize,
    ShareOfLimit,
    Site,
    Waiting,
    find,
    measure,
    pool_size,
    share_of_limit,
    waiting,
)
from poolware.sizing.simulate import Result, Scenario, Timeline, simulate
from poolware.testing import Finding, IsolationReport, assert_isolated, watch
from poolware.web import asgi


def page_somebody(alert: Alert) -> None:
    assert_type(alert.pool, str)
    assert_type(alert.value, float)
    assert_type(alert.as_dict(), dict[str, Any])


async def page_somebody_async(alert: Alert) -> None: ...


def on_event(event: Event) -> None: ...


def alerts() -> None:
    assert_type(Alerts([page_somebody, log_alert]).firing, list[Alert])
    Alerts(PoolwareHighUtilisation={"threshold": 0.9}, PoolwareRateSwing=None)
    Alerts([on_event])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    Alerts(page_somebody)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def watching() -> None:
    assert_type(start(every=5.0, alerts=Alerts(), share=Share()), Watch)
    assert_type(list(take()), list[PoolSnapshot])
    start(evry=5.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def events(pool: ObjectPool[str], database: ResourcePool[int], buffers: BufferPool) -> None:
    kinds: list[EventKind] = ["escape", "timeout"]
    with subscribe(pool, database, kinds=kinds) as collector:
        assert_type(collector, Collector)
        for event in collector.take():
            assert_type(event, Event)
            assert_type(event.kind, EventKind)
            assert_type(event.duration, float | None)
    subscribe(pool, kinds=("gone",))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def checks(app: asgi.ASGIApp) -> None:
    with watch() as watched:
        assert_type(watched.findings(), list[Finding])
    assert_type(assert_isolated(app, ["/", "POST /orders"], requests=50), IsolationReport)
    assert_isolated(app, interface="cgi")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def sizes(app: asgi.ASGIApp) -> None:
    assert_type(pool_size(500, 0.02), PoolSize)
    assert_type(waiting(20, 500, 0.02), Waiting)
    assert_type(share_of_limit(100, 8), ShareOfLimit)
    measured = measure(dict[str, int])
    assert_type(measured, Measurement)
    assert_type(measured.break_even, BreakEven)
    assert_type(find(app), tuple[list[Site], dict[str, int]])
    result = simulate(Scenario(rate=500, hold_s=0.02, max_size=20, requests=1000))
    assert_type(result, Result)
    assert_type(result.timeline, Timeline)


def refusals(error: RequestRefused) -> None:
    assert_type(error.status, int)
    if isinstance(error, PoolUnavailable):
        assert_type(error.retry_after, int)
