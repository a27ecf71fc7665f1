"""What middleware adds to a Django application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import path

from benchmarks.groups import Comparison, Group
from benchmarks.requests import environ, served
from django_poolware.conf import lifecycle

BARE, EMPTY, POOLWARE = "bare app", "empty middleware", "poolware"
MIDDLEWARE = {
    BARE: [],
    EMPTY: [f"{__name__}.Empty"],
    POOLWARE: ["django_poolware.middleware.PoolwareMiddleware"],
}


class Empty:
    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        return self.get_response(request)


def view(_request: Any) -> HttpResponse:
    return HttpResponse(b"ok")


urlpatterns = [path("", view)]


def application(middleware: list[str]) -> WSGIHandler:
    settings.MIDDLEWARE = middleware
    return WSGIHandler()


def groups() -> Iterator[Group]:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        POOLWARE={"CONTEXT": "benchmarks.sections.asgi.AppContext"},
    )
    django.setup()
    names = {f"app_{number}": application(middleware) for number, middleware in enumerate(MIDDLEWARE.values())}

    def check() -> None:
        stats = lifecycle().pool.get_stats()
        assert (stats.in_use, stats.created) == (0, 1), stats

    yield Group(
        {name: f"serve({app}, dict(environ))" for name, app in zip(MIDDLEWARE, names, strict=True)},
        [Comparison(EMPTY, BARE), Comparison(POOLWARE, EMPTY, BARE, target=2)],
        names | {"serve": served, "environ": environ()},
        stretch=0.05,
        repeat=40,
        check=check,
    )
