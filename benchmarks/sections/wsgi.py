"""What middleware adds to a WSGI application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.groups import Comparison, Group
from benchmarks.requests import environ, served
from benchmarks.sections.asgi import AppContext
from poolware.web.wsgi import PoolwareMiddleware

BARE, EMPTY, POOLWARE = "bare app", "empty middleware", "poolware"


def app(_environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


class Empty:
    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)


def groups() -> Iterator[Group]:
    poolware = PoolwareMiddleware(app, context=AppContext)

    def check() -> None:
        stats = poolware.lifecycle.pool.get_stats()
        assert (stats.in_use, stats.created) == (0, 1), stats

    yield Group(
        {
            BARE: "serve(bare, dict(environ))",
            EMPTY: "serve(empty, dict(environ))",
            POOLWARE: "serve(poolware, dict(environ))",
        },
        [Comparison(EMPTY, BARE), Comparison(POOLWARE, EMPTY, BARE, target=2)],
        {"serve": served, "environ": environ(), "bare": app, "empty": Empty(app), "poolware": poolware},
        check=check,
    )
