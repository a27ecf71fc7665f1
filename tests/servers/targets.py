"""The columns of the matrix: each framework on the servers that it is used with, and what each of them lacks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import debian
from .client import get
from .serving import SERVERS, Running, serve
from .settled import settled

IDLE_SECONDS = 2
"""After so long servers close an idle connection, where they can be told."""

_OPTIONS = {
    "uvicorn": f"--timeout-keep-alive {IDLE_SECONDS}",
    "gunicorn": f"--keep-alive {IDLE_SECONDS} --asgi-disconnect-grace-period 1",
    "hypercorn": f"--keep-alive {IDLE_SECONDS}",
    "granian": f"--http1-header-read-timeout {IDLE_SECONDS}000",
    "waitress": f"--channel-timeout {IDLE_SECONDS} --cleanup-interval 1",
}


@dataclass(frozen=True)
class Column:
    """A framework on a server."""

    name: str
    framework: str
    server: str
    app: str
    prefix: str = ""
    """Of routes whose view is a coroutine where the framework has both."""

    @property
    def interface(self) -> str:
        return SERVERS[self.server].interface

    @property
    def tags(self) -> tuple[str, ...]:
        return self.name, self.server, self.server.partition("-")[0], self.framework, self.interface

    @property
    def options(self) -> list[str]:
        return _OPTIONS.get(self.server.partition("-")[0], "").split()

    def lacks(self, feature: str) -> str | None:
        """Return why there is no such thing here, or None if there is."""
        return next((LACKING[feature][tag] for tag in self.tags if tag in LACKING[feature]), None)


def _starlette(name: str, server: str) -> Column:
    return Column(f"starlette-{name}", "starlette", server, "apps.starlette_app:app")


def _flask(server: str) -> Column:
    return Column(f"flask-{server}", "flask", server, "apps.flask_app:app")


COLUMNS = {
    column.name: column
    for column in (
        _starlette("uvicorn-h11", "uvicorn-asyncio-h11"),
        _starlette("uvicorn-uvloop", "uvicorn-uvloop-httptools"),
        _starlette("gunicorn-asgi", "gunicorn-asgi"),
        _starlette("hypercorn", "hypercorn"),
        _starlette("hypercorn-trio", "hypercorn-trio"),
        _starlette("granian", "granian"),
        _starlette("daphne", "daphne"),
        _flask("gunicorn-sync"),
        _flask("gunicorn-gthread"),
        _flask("gunicorn-gevent"),
        _flask("granian-wsgi"),
        _flask("waitress"),
        Column("django-gunicorn-gthread", "django", "gunicorn-gthread", "apps.django_app:wsgi"),
        Column("django-uvicorn", "django", "uvicorn-uvloop-httptools", "apps.django_app:asgi", "/async"),
        Column("django-granian", "django", "granian", "apps.django_app:asgi", "/async"),
        Column("django-daphne", "django", "daphne", "apps.django_app:asgi", "/async"),
    )
}

DEBIAN = {f"flask-{server}": _flask(server) for server in debian.PARTS}
"""The same for servers that are Debian's packages: run by `make debian-servers`."""

ON_BOTH_CORES = {
    "starlette-uvicorn-uvloop",
    "starlette-hypercorn-trio",
    "flask-gunicorn-gthread",
    "flask-gunicorn-gevent",
    "django-gunicorn-gthread",
    "django-uvicorn",
}
"""What a server does is the same with both cores. What differs is where a core can be interrupted: C text cannot, in
its midst; plain Python can, by threads, by greenlets and by a loop that cancels. So each framework and each of these
kinds of server is run on both, the others on one. `POOLWARE_CORE=python make matrix` runs all on the plain core."""

_ONE_AT_A_TIME = "serves one request at a time, and closes its connection"
_CLOSES = "closes its connection after each answer"
_TAKES_ALL = "the server takes in the whole answer, however slowly it is read"
_NO_EARLY_HINTS = "the server sends no 103"
_NO_FILES = "the server sends no files by itself"
_ONLY_HTTP_2 = "the server has trailers at most over TLS"
LACKING: dict[str, dict[str, str]] = {
    "websockets": {"wsgi": "WSGI has no websockets", "django": "Django itself serves no websockets"},
    "tasks": {"wsgi": "WSGI has no event loop"},
    "threads beside a loop": {"wsgi": "all views run in threads"},
    "keep-alive": {"gunicorn-sync": _ONE_AT_A_TIME, "uwsgi": _CLOSES},
    "concurrency": {"gunicorn-sync": _ONE_AT_A_TIME},
    "an idle timeout": {
        "gunicorn-sync": _ONE_AT_A_TIME,
        "daphne": "the server closes no idle connection",
        "uwsgi": _CLOSES,
    },
    "back-pressure": {"daphne": _TAKES_ALL, "waitress": _TAKES_ALL},
    "write()": {"granian-wsgi": "the server's start_response returns no write()"},
    "sub-applications": {"django": "include() is routing within one application"},
    "exceptions that leave the application": {
        "flask": "Flask answers with 500 itself",
        "django": "Django answers with 500 itself",
    },
    "chunked uploads": {
        "uwsgi": "the server has an API of its own for chunked bodies",
        "django-gunicorn-gthread": "Django reads no chunked body under WSGI",
    },
    "early hints": {
        "uvicorn": _NO_EARLY_HINTS,
        "granian": _NO_EARLY_HINTS,
        "daphne": _NO_EARLY_HINTS,
        "waitress": _NO_EARLY_HINTS,
        "uwsgi": _NO_EARLY_HINTS,
        "mod_wsgi": _NO_EARLY_HINTS,
    },
    "files": {
        "django-granian": "Django knows no pathsend",
        "granian-wsgi": _NO_FILES,
        "uvicorn": _NO_FILES,
        "gunicorn-asgi": _NO_FILES,
        "hypercorn": _NO_FILES,
        "daphne": _NO_FILES,
    },
    "trailers": {
        "wsgi": "WSGI has no trailers",
        "uvicorn": _ONLY_HTTP_2,
        "gunicorn-asgi": _ONLY_HTTP_2,
        "granian": _ONLY_HTTP_2,
        "daphne": _ONLY_HTTP_2,
    },
    "answers before the whole body": {"mod_wsgi": "Apache passes the whole body on before it looks for the answer"},
    "uploads that reach the view early": {
        "waitress": "the server reads the whole body first",
        "daphne": "the server reads the whole body first",
        "django-uvicorn": "Django's ASGI handler reads the whole body first",
        "django-granian": "Django's ASGI handler reads the whole body first",
    },
}


@dataclass
class Served:
    """A column's server: started when it is first asked for, and anew after it was spoilt."""

    column: Column
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _running: Running | None = None

    def running(self) -> Running:
        if self._running is None:
            self._running = self._stack.enter_context(serve(self.column.server, self.column.app, *self.column.options))
        return self._running

    def stop(self) -> None:
        self._running = None
        self._stack.close()


@contextlib.contextmanager
def served(name: str) -> Iterator[Served]:
    """Serve a column for the length of the block."""
    server = Served((COLUMNS | DEBIAN)[name])
    try:
        yield server
    finally:
        server.stop()


@dataclass(frozen=True)
class Target:
    """A framework that is being served."""

    column: Column
    running: Running

    @property
    def port(self) -> int:
        return self.running.port

    def has(self, feature: str) -> bool:
        return self.column.lacks(feature) is None

    def control(self, action: str) -> object:
        """Have the app do something, outside of poolware; return what it says."""
        return get(self.port, f"/control/{action}").json

    def events(self, begun: int | None = None) -> list[str]:
        """Return what requests told, once all has come back."""
        events: list[str] = settled(self.running, begun)["events"]
        return events
