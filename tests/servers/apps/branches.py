"""Other arrangements of the same application, each below a prefix of its own, made when they are first asked for."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Make = Callable[[], Any]


class _Branches:
    def __init__(self, app: Any, branches: Mapping[str, Make]) -> None:
        self.app, self.branches = app, branches
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    def _named(self, path: str) -> tuple[str, Any]:
        prefix = f"/{path.split('/')[1]}"
        if prefix not in self.branches:
            return "", self.app
        with self._lock:
            if prefix not in self._made:
                self._made[prefix] = self.branches[prefix]()
        return prefix, self._made[prefix]


class WSGIBranches(_Branches):
    """Chooses by the beginning of the path, which moves to SCRIPT_NAME."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        prefix, app = self._named(environ["PATH_INFO"])
        environ["SCRIPT_NAME"] += prefix
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(prefix)
        return app(environ, start_response)


class ASGIBranches(_Branches):
    """Chooses by the beginning of the path, which becomes the root path."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        prefix, app = ("", self.app) if scope["type"] == "lifespan" else self._named(scope["path"])
        if prefix:
            scope = {**scope, "root_path": scope.get("root_path", "") + prefix}
        await app(scope, receive, send)


class Passing:
    """A WSGI middleware as they are often written: a generator that yields what the application yields.

    One that is closed before it was started never reaches its own end.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            return start_response(status, [*headers, ("X-Passed", "yes")], *exc_info)

        return self._pass(self.app(environ, start))

    def _pass(self, result: Iterable[bytes]) -> Iterator[bytes]:
        try:
            yield from result
        finally:
            if hasattr(result, "close"):
                result.close()


class Gzip(Passing):
    """The same, and compresses what it passes."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
            return start_response(status, [*kept, ("Content-Encoding", "gzip")], *exc_info)

        return self._compress(self._pass(self.app(environ, start)))

    def _compress(self, result: Iterable[bytes]) -> Iterator[bytes]:
        press = zlib.compressobj(wbits=31)
        for piece in result:
            yield press.compress(piece) + press.flush(zlib.Z_SYNC_FLUSH)
        yield press.flush()
