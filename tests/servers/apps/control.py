"""What a test asks a server about itself, outside of poolware, and what requests tell it."""

from __future__ import annotations

import atexit
import gc
import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

PREFIX = "/control"
LAST_REPORTS = os.environ.get("LAST_REPORTS")


class Control:
    """Counts requests by itself, keeps what the app found wrong and what it saw, and shows the pools."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.begun = 0
        self.arrived = 0
        self.identities: set[int] = set()
        self.serials: set[int] = set()
        self.problems: list[str] = []
        self.events: list[str] = []
        self.secrets: list[bytearray] = []
        self.home: object = None
        self.pools: dict[str, Any] = {}
        self.actions: dict[str, Callable[[], Any]] = {
            "report": self.report,
            "collect": self.collect,
            "forget": self.forget,
        }

    def count(self) -> None:
        with self._lock:
            self.begun += 1

    def arrive(self) -> None:
        with self._lock:
            self.arrived += 1

    def saw(self, event: str) -> None:
        with self._lock:
            self.events.append(event)

    def wrong(self, *problems: str) -> None:
        with self._lock:
            self.problems += problems[: max(0, 50 - len(self.problems))]

    def entrusted(self, memory: bytearray) -> None:
        """Remember where a secret lies: its bare memory, which is a part of nothing that a pool looks at."""
        with self._lock:
            self.secrets.append(memory)

    def collect(self) -> None:
        """Collect garbage, after letting go of the exception that uWSGI has printed last."""
        for name in ("last_type", "last_value", "last_traceback"):
            vars(sys).pop(name, None)
        gc.collect()

    def forget(self) -> None:
        with self._lock:
            self.events.clear()

    def unwiped(self) -> int:
        """Forget the secrets whose memory is all zero by now; return how many others there are."""
        with self._lock:
            self.secrets = [memory for memory in self.secrets if any(memory)]
            return len(self.secrets)

    def report(self) -> dict[str, Any]:
        pools = {name: asdict(pool.get_stats()) for name, pool in self.pools.items()}
        return {
            "pid": os.getpid(),
            "begun": self.begun,
            "arrived": self.arrived,
            "identities": len(self.identities),
            "serials": len(self.serials),
            "unwiped": self.unwiped(),
            "problems": self.problems,
            "events": self.events,
            **pools,
        }

    def act(self, path: str, query: str) -> bytes:
        action = self.actions[path.removeprefix(PREFIX).strip("/") or "report"]
        arguments = {name: values[-1] for name, values in parse_qs(query).items()}
        return json.dumps(action(**arguments)).encode()

    def leave_a_report(self) -> None:
        """Leave what there is to say in the folder that ``LAST_REPORTS`` names, for when nobody can be asked."""
        if LAST_REPORTS and self.begun:
            Path(LAST_REPORTS, f"{os.getpid()}.json").write_text(json.dumps(self.report()))


control = Control()
atexit.register(control.leave_a_report)


class WSGIControl:
    """Answers ``/control…`` itself; everything else goes to `app`."""

    def __init__(self, app: Any, count: Callable[[], None] = control.count) -> None:
        self.app, self.count = app, count

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if not environ["PATH_INFO"].startswith(PREFIX):
            self.count()
            return self.app(environ, start_response)
        answer = control.act(environ["PATH_INFO"], environ.get("QUERY_STRING", ""))
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return [answer]


class ASGIControl:
    """The same for ASGI."""

    def __init__(self, app: Any, count: Callable[[], None] = control.count) -> None:
        self.app, self.count = app, count

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or not scope["path"].startswith(PREFIX):
            if scope["type"] != "lifespan":
                self.count()
            try:
                await self.app(scope, receive, send)
            finally:
                control.leave_a_report()  # uvicorn ends by a signal: atexit is never reached
            return
        answer = control.act(scope["path"], scope["query_string"].decode())
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
