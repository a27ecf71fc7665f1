"""gunicorn's hooks: ``gunicorn -c python:poolware.web.gunicorn app:app``.

A configuration file of one's own has them after ``from poolware.web.gunicorn import *``; one that defines a hook itself
calls the one from here. Every worker publishes its figures for the others (`poolware.observe.shared`), looks for alerts
and logs them, and with prometheus-client installed keeps Prometheus's counters. What a worker has counted is kept when
it ends; what it had at that moment goes with it, also if it was killed.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import tempfile
from contextlib import suppress
from typing import Any

from poolware._core.log import logger
from poolware.errors import ConfigurationError
from poolware.observe import watch
from poolware.observe.alerts import Alerts
from poolware.observe.shared import Share

__all__ = ["child_exit", "post_worker_init", "worker_exit"]

_MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
_PROMETHEUS = importlib.util.find_spec("prometheus_client") is not None


def _remove(folder: str, arbiter: int) -> None:
    if os.getpid() == arbiter:  # a worker inherits what is to be done at the end
        shutil.rmtree(folder, ignore_errors=True)


if _PROMETHEUS and _MULTIPROCESS not in os.environ:
    # Before anything imports prometheus-client, which looks for it once; --preload is the earliest that may.
    os.environ[_MULTIPROCESS] = tempfile.mkdtemp(prefix="poolware-prometheus-")
    atexit.register(_remove, os.environ[_MULTIPROCESS], os.getpid())


def post_worker_init(worker: Any) -> None:  # noqa: ARG001 - gunicorn calls hooks by the number of their arguments
    """Begin to watch, in a worker that has loaded its application."""
    exporters = []
    if _PROMETHEUS:
        from poolware.observe.prometheus import exporter  # noqa: PLC0415 - it needs prometheus-client

        exporters.append(exporter())
    watch.start(alerts=Alerts(), share=_share(), exporters=exporters)


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Tell the last figures, in a worker that is about to end."""
    watch.stop()


def child_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Have the gauges of a worker that has ended go, in the arbiter."""
    if _PROMETHEUS:
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

        with suppress(FileNotFoundError):  # another has been faster
            mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def _share() -> Share | None:
    try:
        return Share()
    except ConfigurationError as error:  # anybody may have made a directory of that name: no reason not to serve
        logger.error("the figures of this worker are not shared: %s", error)
        return None
