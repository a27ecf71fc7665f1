"""How each server is started: one command line a server."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from poolware_compare.errors import ComparisonError

SERVED = "poolware_compare.served:app"
THREADS = 16


Place = tuple[str, int]
"""Where a server listens: address and port."""


@dataclass(frozen=True)
class Launch:
    """A server: what it needs, and its arguments after `python -m`."""

    needs: tuple[str, ...]
    arguments: Callable[[Place, int], list[str]]

    def check(self, name: str) -> None:
        """Raise if something that it needs is not installed."""
        missing = [module for module in self.needs if find_spec(module) is None]
        if missing:
            msg = f"the server {name!r} needs {' and '.join(missing)}: pip install {' '.join(missing)}"
            raise ComparisonError(msg)


def _uvicorn(place: Place, workers: int) -> list[str]:
    return [
        *("uvicorn", SERVED, "--host", place[0], "--port", str(place[1]), "--workers", str(workers)),
        *("--http", "httptools", "--loop", "uvloop", "--no-access-log", "--log-level", "warning"),
    ]


def _gunicorn(*options: str) -> Callable[[Place, int], list[str]]:
    def arguments(place: Place, workers: int) -> list[str]:
        return [
            *("gunicorn", SERVED, "--bind", f"{place[0]}:{place[1]}", "--workers", str(workers)),
            *("--keep-alive", "75", "--no-control-socket", "--log-level", "warning", *options),
        ]

    return arguments


def _granian(interface: str) -> Callable[[Place, int], list[str]]:
    def arguments(place: Place, workers: int) -> list[str]:
        return [
            *("granian", SERVED, "--host", place[0], "--port", str(place[1]), "--workers", str(workers)),
            *("--interface", interface, "--no-access-log", "--log-level", "warning"),
            *(("--blocking-threads", str(THREADS)) if interface == "wsgi" else ()),
        ]

    return arguments


SERVERS = {
    "uvicorn": Launch(("uvicorn", "httptools", "uvloop"), _uvicorn),
    "gunicorn-sync": Launch(("gunicorn",), _gunicorn("--worker-class", "sync")),
    "gunicorn-gthread": Launch(("gunicorn",), _gunicorn("--worker-class", "gthread", "--threads", str(THREADS))),
    "gunicorn-asgi": Launch(("gunicorn",), _gunicorn("--worker-class", "asgi")),
    "granian": Launch(("granian",), _granian("asgi")),
    "granian-wsgi": Launch(("granian",), _granian("wsgi")),
}
ASGI_SERVERS = ("uvicorn", "gunicorn-asgi", "granian")
