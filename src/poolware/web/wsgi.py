"""The middleware for every WSGI application."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from poolware.context.carrier import KEY
from poolware.errors import RequestRefused
from poolware.web.ending import Ending
from poolware.web.lifecycle import callable_app, lifecycle_from
from poolware.web.refusal import refuse
from poolware.web.turns import in_turns

if TYPE_CHECKING:
    from typing import Unpack

    from poolware.web.lifecycle import Lifecycle, LifecycleOptions

__all__ = ["Environ", "PoolwareMiddleware", "StartResponse", "WSGIApp"]

Environ = dict[str, Any]
"""What a WSGI server says of a request."""
StartResponse = Callable[..., Callable[[bytes], object]]
"""Begins a response, with its status and headers."""
WSGIApp = Callable[[Environ, StartResponse], Iterable[bytes]]
"""A WSGI application."""


class PoolwareMiddleware:
    """Gives every request a context, until the server closes the response.

    The response's own ``close`` comes first. A ``wsgi.file_wrapper`` result stays what it is, so that the server can
    still use sendfile. An environ that already carries a context is left to the outer middleware.

        app = PoolwareMiddleware(app, context=AppContext)

    Args:
        app: the application.
        lifecycle: a `Lifecycle`; or its options as keywords.
    """

    def __init__(
        self, app: WSGIApp, lifecycle: Lifecycle[Any] | None = None, **options: Unpack[LifecycleOptions]
    ) -> None:
        self.lifecycle: Lifecycle[Any] = lifecycle_from("PoolwareMiddleware", lifecycle, dict(options))
        callable_app(app)
        self.app = app
        self._begin, self._finish = self.lifecycle.begin, self.lifecycle.finish

    @property
    def app(self) -> WSGIApp:
        """The application. Another may be put in its place."""
        return self._app

    @app.setter
    def app(self, app: WSGIApp) -> None:
        self._app = app
        self._serve = in_turns(app) if self.lifecycle.ambient else app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        if KEY in environ:
            return self.app(environ, start_response)
        self._begin(environ)
        try:
            result = self._serve(environ, start_response)
        except RequestRefused as error:
            self._finish(environ)
            return refuse(environ, start_response, error, sys.exc_info())
        except BaseException:
            self._finish(environ)
            raise
        end = Ending(self._finish, environ, getattr(result, "close", None))
        return _keep_type(result, environ, end) or _wrap(result, end)


class ResponseBody:
    """Another iterable whose end also ends the request."""

    __slots__ = ("_inner", "close")

    def __init__(self, inner: Iterable[bytes], end: Ending) -> None:
        self._inner = inner
        self.close: Ending = end

    def __iter__(self) -> Iterator[bytes]:
        return Pieces(iter(self._inner), self)


class Pieces:
    """The pieces of a body, which lives as long as somebody asks for them.

    An outer middleware that writes ``for piece in app(environ, start_response)`` keeps nothing but the iterator: the
    request must not end before it.
    """

    __slots__ = ("_body", "_pieces")

    def __init__(self, pieces: Iterator[bytes], body: ResponseBody) -> None:
        self._pieces = pieces
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)


class SizedResponseBody(ResponseBody):
    """The same for a list or tuple, from whose length servers conclude the Content-Length."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._inner)  # type: ignore[arg-type]


def _wrap(result: Iterable[bytes], end: Ending) -> Iterable[bytes]:
    return SizedResponseBody(result, end) if hasattr(result, "__len__") else ResponseBody(result, end)


def _keep_type(result: Any, environ: Environ, end: Ending) -> Iterable[bytes] | None:
    """Chain `end` to the close of the server's own file wrapper (H21); None if `result` is not one."""
    wrapper = environ.get("wsgi.file_wrapper")
    if not (isinstance(wrapper, type) and isinstance(result, wrapper)):
        return None
    try:
        result.close = end  # type: ignore[attr-defined]
    except AttributeError:
        return None
    return result  # type: ignore[return-value]
