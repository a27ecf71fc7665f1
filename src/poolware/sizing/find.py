"""Which lines of an application are worth a pool? It is driven in this process, and each line's cost noted.

A line's cost is what happens between its start and the next event of the application's own code: what the libraries
that it calls do counts as its own, what other functions of the application do as theirs. Time is measured first and
memory in a second pass, by tracemalloc's peak: scratch memory that is gone when the request ends is seen as well.
"""

from __future__ import annotations

import asyncio
import os
import sysconfig
import threading
import tracemalloc
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from types import CodeType, FrameType
from typing import Any, Literal

from poolware._core.options import whole_number
from poolware.sizing.sites import Advice, advise, source_of
from poolware.testing.drivers import Interface, Visit, interface_of, requests_of, visit_asgi, visit_wsgi

__all__ = ["Site", "find"]

Line = tuple[str, int]
Phase = Literal["warm", "time", "memory", "over"]

_WARM = 5
"""Requests before the first that counts: they import, compile and fill caches."""
_NOT_OWN = (
    "<",
    str(Path(__file__).parents[1]) + os.sep,
    *(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")),
)


@dataclass(frozen=True, slots=True)
class Site:
    """A line of the application and what it costs each request."""

    file: str
    line: int
    source: str
    calls: float
    """How often it runs, a request."""
    seconds: float
    """A request."""
    bytes: float
    """Allocated at its highest point, a request; from Python's allocator."""
    time_share: float
    bytes_share: float
    """Of what all the application's lines take."""
    advice: Advice


class _Cost:
    __slots__ = ("bytes", "calls", "code", "names", "now", "times")

    def __init__(self, frame: FrameType) -> None:
        self.code = frame.f_code
        self.names = frame.f_globals
        self.calls = 0
        self.bytes = 0
        self.now = 0.0
        """Seconds in the request that is being served."""
        self.times: list[float] = []
        """Of each request that ran the line."""


class _Lines(threading.local):
    """The lines that a thread is in, the innermost last, and what was the case when the last of them started."""

    def __init__(self) -> None:
        self.open: list[Line] = []
        self.seconds = 0.0
        self.bytes = 0


class _Tracer:
    """Notes costs by line while a phase lasts."""

    def __init__(self, root: Path | None) -> None:
        self.phase: Phase = "warm"
        self.costs: dict[Line, _Cost] = {}
        self._root = str(root) + os.sep if root else None
        self._own: dict[CodeType, bool] = {}
        self._lines = _Lines()

    def __call__(self, frame: FrameType, _event: str, _arg: object) -> Callable[..., Any] | None:
        """Called by the interpreter for each new frame; what it returns is called for each of the frame's lines."""
        if self.phase not in {"time", "memory"}:
            return None
        code = frame.f_code
        own = self._own.get(code)
        if own is None:
            own = self._own[code] = self._is_own(code.co_filename)
        if not own:
            return None
        self._account()
        self._lines.open.append((code.co_filename, frame.f_lineno))
        self._start()
        return self._local

    def _local(self, frame: FrameType, event: str, _arg: object) -> Callable[..., Any] | None:
        lines = self._lines
        self._account()
        if event == "line" and lines.open:
            key = frame.f_code.co_filename, frame.f_lineno
            lines.open[-1] = key
            cost = self.costs.get(key)
            if cost is None:
                cost = self.costs[key] = _Cost(frame)
            if self.phase == "time":
                cost.calls += 1
        elif event == "return" and lines.open:
            lines.open.pop()
        self._start()
        return self._local

    def _account(self) -> None:
        """Charge what has happened since the last event to the line that was running."""
        lines = self._lines
        cost = self.costs.get(lines.open[-1]) if lines.open else None
        if cost is None:
            return
        if self.phase == "time":
            cost.now += perf_counter() - lines.seconds
        elif self.phase == "memory":
            cost.bytes += max(0, tracemalloc.get_traced_memory()[1] - lines.bytes)

    def _start(self) -> None:
        if self.phase == "memory":
            tracemalloc.reset_peak()
            self._lines.bytes = tracemalloc.get_traced_memory()[0]
        self._lines.seconds = perf_counter()

    def end_request(self) -> None:
        """Close the account of a request."""
        for cost in self.costs.values():
            if cost.now:
                cost.times.append(cost.now)
                cost.now = 0.0

    def _is_own(self, file: str) -> bool:
        if self._root and file.startswith(self._root):
            return True
        return not (file.startswith(_NOT_OWN) or "site-packages" in file or "dist-packages" in file)


def find(
    app: Any,
    paths: Iterable[str] = ("/",),
    *,
    requests: int = 50,
    headers: Mapping[str, str] | None = None,
    interface: Interface | None = None,
    root: Path | None = None,
    tell: Callable[[float], object] = lambda _share: None,
) -> tuple[list[Site], dict[str, int]]:
    """Send requests to `app` and return its lines, the costliest first, and how often it gave which answer.

    Lines are ranked by their share in time or in memory, whichever is larger.

    Args:
        app: a WSGI or ASGI application. Its lifespan runs once.
        paths: what to ask for, in turn, such as ``"/orders/17"`` or ``"POST /orders"``.
        requests: how many to send for each of the two passes.
        headers: sent with every request.
        interface: how to call `app`, if it cannot be seen from it.
        root: a folder whose code is the application's, also where it lies among installed packages.
        tell: called with the share that is done.

    Raises:
        BadOption: an argument has a value that it does not take.
        RuntimeError: the application failed at startup.
    """
    whole_number("requests", requests, at_least=1)
    asked = requests_of(paths)
    tracer = _Tracer(root)
    answers: dict[str, int] = {}
    total = _WARM + 2 * requests
    sent = 0

    def answered(answer: str) -> None:
        answers[answer] = answers.get(answer, 0) + 1

    def carrier(values: dict[str, Any]) -> dict[str, Any]:
        nonlocal sent
        tracer.end_request()
        _enter(tracer, "warm" if sent < _WARM else "time" if sent < _WARM + requests else "memory")
        sent += 1
        tell(sent / total)
        return values

    visits = [
        Visit(*asked[number % len(asked)], dict(headers or {}), "ends", carrier, answered) for number in range(total)
    ]
    try:
        _drive(app, visits, tracer, asgi=interface_of(app, interface) == "asgi")
    finally:
        _enter(tracer, "over")
    return _ranked(tracer.costs, requests), answers


def _enter(tracer: _Tracer, phase: Phase) -> None:
    if tracer.phase == phase:
        return
    tracer.phase = phase
    tracer._lines.open.clear()
    if phase == "memory":
        tracemalloc.start(1)
    elif tracemalloc.is_tracing():
        tracemalloc.stop()


def _drive(app: Any, visits: list[Visit], tracer: _Tracer, *, asgi: bool) -> None:
    """Serve all visits, one at a time, in a thread of its own: it and those that the app starts are traced."""

    def serve() -> None:
        if asgi:
            asyncio.run(visit_asgi(app, visits, 1))
        else:
            for visit in visits:
                visit_wsgi(app, visit)

    before = threading.gettrace()
    threading.settrace(tracer)
    try:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(serve).result()
    finally:
        threading.settrace(before)


def _ranked(costs: dict[Line, _Cost], requests: int) -> list[Site]:
    seconds = {place: _per_request(cost.times, requests) for place, cost in costs.items()}
    all_seconds = sum(seconds.values()) or 1.0
    all_bytes = sum(cost.bytes for cost in costs.values()) or 1
    sites = [
        Site(
            file=file,
            line=line,
            source=source_of(file, line),
            calls=cost.calls / requests,
            seconds=seconds[file, line],
            bytes=cost.bytes / requests,
            time_share=seconds[file, line] / all_seconds,
            bytes_share=cost.bytes / all_bytes,
            advice=advise(cost.code, line, cost.names, seconds[file, line], cost.bytes / requests),
        )
        for (file, line), cost in costs.items()
    ]
    return sorted(sites, key=lambda site: max(site.time_share, site.bytes_share), reverse=True)


def _per_request(times: list[float], requests: int) -> float:
    """The median, so that one request in which the machine did something else weighs nothing."""
    return median(times) * len(times) / requests if times else 0.0
