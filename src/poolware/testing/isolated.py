"""assert_isolated: nothing that one request wrote reaches another, however they end."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

from poolware._core.options import whole_number
from poolware.context.base import RequestContext
from poolware.context.carrier import KEY
from poolware.testing.drivers import ENDINGS, Interface, Visit, interface_of, requests_of, visit_asgi, visit_wsgi
from poolware.testing.marks import Marks
from poolware.testing.watch import watch

__all__ = ["IsolationReport", "assert_isolated"]


@dataclass
class IsolationReport:
    """What was sent and seen."""

    requests: int = 0
    arrivals: int = 0
    """Requests that got a context."""
    contexts: int = 0
    """Different contexts that served them; far fewer than arrivals where they are reused."""
    answers: Counter[str] = field(default_factory=Counter)
    """Status codes, and the names of exceptions that the application raised."""


def assert_isolated(
    app: Any,
    paths: Iterable[str] = ("/",),
    *,
    requests: int = 200,
    concurrency: int = 8,
    headers: Mapping[str, str] | None = None,
    interface: Interface | None = None,
) -> IsolationReport:
    """Send requests to `app`, dirty every field of every context before its release, and check that none arrives dirty.

    Each request writes to all fields of its context and into what they hold, and to a buffer, as the last thing before
    the context goes back. Some requests end as they should; some clients leave, are cancelled, or stop reading. At the
    end everything must have been released, and nothing may be held or have been used too late, as for `watch`.

    Args:
        app: a WSGI or ASGI application with poolware's middleware; an outer middleware must pass the very scope or
            environ that it was given.
        paths: what to ask for, in turn, such as ``"/orders/17"`` or ``"POST /orders"``.
        requests: how many requests to send.
        concurrency: how many of them at a time.
        headers: sent with every request.
        interface: how to call `app`, if it cannot be seen from it.

    Returns:
        What was sent and seen.

    Raises:
        AssertionError: something arrived dirty, leaked or escaped; or no request met poolware's middleware.
        BadOption: an argument has a value that it does not take.
    """
    whole_number("requests", requests, at_least=1)
    whole_number("concurrency", concurrency, at_least=1)
    asked, interface = requests_of(paths), interface_of(app, interface)
    observer = _Observer(Marks())
    visits = [
        Visit(*request, dict(headers or {}), ending, observer.carrier, observer.answered)
        for request, ending in islice(zip(cycle(asked), cycle(ENDINGS), strict=False), requests)
    ]
    with watch():
        if interface == "asgi":
            _in_a_loop_of_its_own(visit_asgi(app, visits, concurrency))
        else:
            with ThreadPoolExecutor(concurrency) as threads:
                list(threads.map(lambda visit: visit_wsgi(app, visit), visits))
        visits.clear()
    report = observer.report
    report.requests = requests
    if not report.arrivals:
        msg = f"none of {requests} requests got a context: is poolware's middleware installed in this app? {report}"
        raise AssertionError(msg)
    if observer.dirt:
        msg = "\n".join([f"{sum(observer.dirt.values())} contexts arrived dirty:", *observer.dirt])
        raise AssertionError(msg)
    return report


class _Observer:
    """Sees each context arrive and leave."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks
        self.report = IsolationReport()
        self.dirt: Counter[str] = Counter()
        self._seen: set[int] = set()
        self._lock = threading.Lock()

    def carrier(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return a scope or environ that tells when a context is put into it and taken out."""
        return _Carrier(self, values)

    def arrived(self, ctx: RequestContext) -> None:
        """Look for what others have left, also in memory."""
        found = list(self.marks.left_in(ctx))
        if any(ctx.buffer(1).view()):
            found.append("a buffer arrived with something in it")
        with self._lock:
            self.dirt.update(found)
            self._seen.add(id(ctx))
            self.report.arrivals += 1
            self.report.contexts = len(self._seen)

    def leaving(self, ctx: RequestContext) -> None:
        """Leave as much dirt as possible."""
        self.marks.dirty(ctx)
        ctx.buffer(1).write(b"x")

    def answered(self, answer: str) -> None:
        with self._lock:
            self.report.answers[answer] += 1


class _Carrier(dict[str, Any]):
    def __init__(self, observer: _Observer, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.observer = observer

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        if key == KEY:
            self.observer.arrived(value)

    def pop(self, key: str, *default: Any) -> Any:
        if key == KEY and KEY in self:
            self.observer.leaving(self[KEY])
        return super().pop(key, *default)


def _in_a_loop_of_its_own(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run `coroutine`, also where a test runs in a loop already."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, coroutine).result()
