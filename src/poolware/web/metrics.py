"""``/metrics`` for Prometheus, as an application of its own to mount where it is wanted.

Needs prometheus-client: ``pip install poolware[prometheus]``. With ``PROMETHEUS_MULTIPROC_DIR`` set when the process
starts, it tells of all workers together. Nothing is shown to anybody before it is mounted (H38).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, make_asgi_app, make_wsgi_app
from prometheus_client.multiprocess import MultiProcessCollector

from poolware.observe.processes import is_alive
from poolware.observe.prometheus import exporter
from poolware.observe.snapshot import take
from poolware.web.asgi import Receive, Scope, Send
from poolware.web.wsgi import Environ, StartResponse

__all__ = ["asgi_app", "wsgi_app"]


async def asgi_app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer an ASGI request with what Prometheus reads. Other scopes than ``http`` are not for it."""
    await make_asgi_app(_registry())(scope, receive, send)


def wsgi_app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a WSGI request with what Prometheus reads."""
    answer: Any = make_wsgi_app(_registry())(environ, start_response)
    return answer  # type: ignore[no-any-return]


def _registry() -> CollectorRegistry:
    exporter()(take())
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder is None:
        return REGISTRY
    for path in Path(folder).glob("gauge_live*_*.db"):  # not every server tells when a worker has been killed
        pid = path.stem.rpartition("_")[2]
        if pid.isdecimal() and not is_alive(int(pid)):
            path.unlink(missing_ok=True)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return together
