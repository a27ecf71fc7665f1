"""A server of a few lines for each interface, whose clients do not always behave."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any, Literal
from wsgiref.util import setup_testing_defaults

from poolware.errors import BadOption

__all__ = ["ENDINGS", "Interface", "Visit", "interface_of", "requests_of", "visit_asgi", "visit_wsgi"]

Interface = Literal["asgi", "wsgi"]

ENDINGS = ("ends", "ends", "leaves", "ends", "stops reading", "ends", "is cancelled")
_PATIENCE = 10
"""Seconds that an application gets to start up, and to notice that a client has left."""


@dataclass(frozen=True)
class Visit:
    """One request and how it ends."""

    method: str
    path: str
    headers: dict[str, str]
    ending: str
    carrier: Callable[[dict[str, Any]], dict[str, Any]]
    answered: Callable[[str], None]


def interface_of(app: Any, interface: Interface | None = None) -> Interface:
    """Return how to call `app`. Raises `BadOption` for an unknown interface."""
    if interface not in {None, "asgi", "wsgi"}:
        msg = f"interface={interface!r}: it takes 'asgi', 'wsgi', or None to find out"
        raise BadOption(msg)
    is_async = iscoroutinefunction(app) or iscoroutinefunction(getattr(app, "__call__", None))  # noqa: B004
    return interface or ("asgi" if is_async else "wsgi")


def requests_of(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Return methods and paths of lines such as ``/orders/17`` and ``POST /orders``. Raises `BadOption`."""
    lines = list(paths)
    if isinstance(paths, str) or not lines:
        msg = f"paths={paths!r}: it takes a list of at least one path, such as ['/orders/17', 'POST /orders']"
        raise BadOption(msg)
    found = []
    for line in lines:
        method, _, path = line.rpartition(" ")
        if not path.startswith("/"):
            msg = f"paths: {line!r}: it takes a path that begins with /, with a method before it or none"
            raise BadOption(msg)
        found.append((method or "GET", path))
    return found


async def visit_asgi(app: Any, visits: list[Visit], concurrency: int) -> None:
    """Start the application up, send the requests, `concurrency` at a time, and shut it down."""
    lifespan = _Lifespan(app)
    await lifespan.tell("startup")
    todo = iter(visits)

    async def client() -> None:
        for visit in todo:
            await _visit_asgi(app, visit, lifespan.state)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(client())
    finally:
        await lifespan.tell("shutdown")


async def _visit_asgi(app: Any, visit: Visit, state: dict[str, Any]) -> None:
    client = _Client(visit)
    task = asyncio.ensure_future(app(visit.carrier(client.scope(state)), client.receive, client.send))
    try:
        if visit.ending == "is cancelled":
            for _ in range(3):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait_for(task, _PATIENCE)
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
    except Exception as error:
        visit.answered(type(error).__name__)


class _Client:
    """What an application sees of a client."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._request: list[dict[str, Any]] = [{"type": "http.request", "body": b"", "more_body": False}]
        self._gone = asyncio.Event()
        if visit.ending == "leaves":
            self._gone.set()

    def scope(self, state: dict[str, Any]) -> dict[str, Any]:
        path, _, query = self._visit.path.partition("?")
        headers = [(name.lower().encode(), value.encode()) for name, value in self._visit.headers.items()]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "http",
            "method": self._visit.method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", b"testserver"), *headers],
            "state": state.copy(),
            "extensions": {},
            "client": ("127.0.0.1", 50000),
            "server": ("testserver", 80),
        }

    async def receive(self) -> dict[str, Any]:
        if self._request:
            return self._request.pop()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        if message["type"] == "http.response.start":
            self._visit.answered(str(message["status"]))
        elif self._visit.ending == "stops reading":
            self._gone.set()
            error = "the client has stopped reading"
            raise OSError(error)
        elif not message.get("more_body"):
            self._gone.set()


class _Lifespan:
    """Start and end of an application, if it takes part in them."""

    def __init__(self, app: Any) -> None:
        self.state: dict[str, Any] = {}
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        self._task = asyncio.ensure_future(app(scope, self._to_app.get, self._from_app.put))

    async def tell(self, what: str) -> None:
        """Send ``lifespan.<what>`` and wait for the answer; raises if it is a failure."""
        if self._task.done():  # it takes no part; what it raised is how it says so
            with suppress(asyncio.CancelledError):
                self._task.exception()
            return
        self._to_app.put_nowait({"type": f"lifespan.{what}"})
        answer = asyncio.ensure_future(self._from_app.get())
        await asyncio.wait([answer, self._task], timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if answer.done() and answer.result()["type"] == f"lifespan.{what}.failed":
            msg = f"the application failed at {what}: {answer.result().get('message', '')}"
            raise RuntimeError(msg)
        answer.cancel()
        if what == "shutdown":
            with suppress(Exception):
                await asyncio.wait_for(self._task, _PATIENCE)


def visit_wsgi(app: Any, visit: Visit) -> None:
    """Send one request."""
    path, _, query = visit.path.partition("?")
    headers = {"host": "testserver", **visit.headers}  # as in ASGI: the name that a framework's own test client uses
    environ: dict[str, Any] = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    environ |= {"REQUEST_METHOD": visit.method, "PATH_INFO": path, "QUERY_STRING": query, "CONTENT_LENGTH": "0"}
    setup_testing_defaults(environ)

    def start_response(status: str, _headers: object, _exc_info: object = None) -> Callable[[bytes], object]:
        visit.answered(status.partition(" ")[0])
        return lambda _data: None

    try:
        result = app(visit.carrier(environ), start_response)
        try:
            if visit.ending in {"ends", "leaves"}:
                end = time.monotonic() + _PATIENCE
                for _ in result:
                    if visit.ending == "leaves" or time.monotonic() > end:
                        break
        finally:
            if visit.ending != "is cancelled" and hasattr(result, "close"):  # a server that never closes (H20)
                result.close()
    except Exception as error:
        visit.answered(type(error).__name__)
