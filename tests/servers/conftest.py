"""Each framework on a server that is used with it, running for the length of a test module."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from .client import get
from .serving import Running, serve
from .settled import balanced, settled

UVICORN = "uvicorn-uvloop-httptools"
TARGETS = {
    "starlette": (UVICORN, "apps.starlette_app:app", ""),
    "flask-sync": ("gunicorn-sync", "apps.flask_app:app", ""),
    "flask-gthread": ("gunicorn-gthread", "apps.flask_app:app", ""),
    "django-wsgi": ("gunicorn-gthread", "apps.django_app:wsgi", ""),
    "django-asgi": (UVICORN, "apps.django_app:asgi", "/async"),
}


@dataclass(frozen=True)
class Target:
    """A framework that is being served."""

    name: str
    running: Running
    asynchronous: str
    """The prefix of routes whose view is a coroutine where the framework has both."""

    @property
    def port(self) -> int:
        return self.running.port

    @property
    def is_wsgi(self) -> bool:
        return self.name.startswith("flask") or self.name == "django-wsgi"

    def events(self, begun: int | None = None) -> list[str]:
        """Return what requests told, once all has come back."""
        events: list[str] = settled(self.running, begun)["events"]
        return events


@pytest.fixture(scope="module", params=TARGETS)
def server_of_module(request: pytest.FixtureRequest) -> Iterator[Target]:
    server, app, prefix = TARGETS[request.param]
    with serve(server, app) as running:
        yield Target(request.param, running, prefix)


@pytest.fixture
def target(server_of_module: Target) -> Iterator[Target]:
    """The server; after the test everything must have come back, and the server must still serve."""
    get(server_of_module.port, "/control/forget")
    yield server_of_module
    after = settled(server_of_module.running)
    balanced(after)
    assert after["contexts"]["acquired"] == after["begun"]
    assert after["problems"] == []
    assert get(server_of_module.port, "/hello").body == b"hello"
