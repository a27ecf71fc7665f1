"""What the tests of the web side share: a server's part, played by hand."""

import io
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from poolware import Lifecycle


@pytest.fixture(autouse=True)
def _everything_comes_back(everything_comes_back: list[Lifecycle[Any]]) -> None:
    """Hold every test of this folder to it."""


# --- ASGI -------------------------------------------------------------------------------------------------------------

Serve = Callable[..., Awaitable[list[Any]]]


@pytest.fixture
def serve() -> Serve:
    """Serve one ASGI connection; return what the application sent. Like a server, refuse a second start."""

    async def serve(app: Any, *received: Any, scope: MutableMapping[str, Any] | None = None, **keys: Any) -> list[Any]:
        scope = {"type": "http", "method": "GET", "path": "/", "headers": []} if scope is None else scope
        scope.update(keys)
        waiting, sent = list(received), []

        async def receive() -> Any:
            return waiting.pop(0)

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start" and sent:
                msg = "the response has begun"
                raise RuntimeError(msg)
            sent.append(message)

        await app(scope, receive, send)
        return sent

    return serve


# --- WSGI -------------------------------------------------------------------------------------------------------------


@dataclass
class Answer:
    """What a WSGI server was told, and the iterable that it has yet to send and close."""

    body: Iterable[bytes] = ()
    status: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def read_and_close(self) -> bytes:
        """Do the rest of a server's work."""
        try:
            return b"".join(self.body)
        finally:
            getattr(self.body, "close", lambda: None)()


def make_environ(body: bytes = b"", **keys: Any) -> dict[str, Any]:
    environ: dict[str, Any] = {"wsgi.input": io.BytesIO(body)}
    setup_testing_defaults(environ)
    environ.update(keys)
    return environ


@pytest.fixture(name="make_environ")
def _make_environ() -> Callable[..., dict[str, Any]]:
    return make_environ


@pytest.fixture
def call() -> Callable[..., Answer]:
    """Call a WSGI application as a server does, up to the point where it would send the body."""

    def call(app: Any, environ: dict[str, Any] | None = None, **keys: Any) -> Answer:
        answer = Answer()

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[..., None]:
            if exc_info is not None and answer.status:
                raise exc_info[1].with_traceback(exc_info[2])
            answer.status, answer.headers = status, dict(headers)
            return lambda _data: None

        answer.body = app(make_environ(**keys) if environ is None else environ, start_response)
        return answer

    return call
