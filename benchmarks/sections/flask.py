"""What an extension adds to a Flask application."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask, g

from benchmarks.groups import Comparison, Group
from benchmarks.requests import environ, served
from benchmarks.sections.asgi import AppContext
from flask_poolware import Poolware

BARE, EMPTY, POOLWARE, G = "bare app", "empty hooks", "poolware", "flask.g, an attribute written"


def application() -> Flask:
    app = Flask("benchmarks")

    @app.get("/")
    def view() -> str:
        return "ok"

    return app


def empty() -> Flask:
    app = application()
    app.before_request(lambda: None)
    app.teardown_request(lambda _error: None)
    return app


def with_g() -> Flask:
    app = application()

    @app.before_request
    def write() -> None:
        g.tenant = "acme"

    app.teardown_request(lambda _error: None)
    return app


def groups() -> Iterator[Group]:
    poolware = application()
    Poolware(poolware, context=AppContext)
    apps = {BARE: application(), EMPTY: empty(), POOLWARE: poolware, G: with_g()}
    names = {f"app_{number}": app for number, app in enumerate(apps.values())}

    def check() -> None:
        stats = poolware.extensions["poolware"].pool.get_stats()
        assert (stats.in_use, stats.created) == (0, 1), stats

    yield Group(
        {name: f"serve({app}, dict(environ))" for name, app in zip(apps, names, strict=True)},
        [Comparison(EMPTY, BARE), Comparison(POOLWARE, EMPTY, BARE, target=2), Comparison(POOLWARE, G, BARE)],
        names | {"serve": served, "environ": environ()},
        stretch=0.05,
        repeat=40,
        check=check,
    )
