"""The live page as an ASGI and as a WSGI application, and who is let in."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from inspect import isawaitable
from typing import Any

from poolware._core.log import logger
from poolware.errors import BadOption
from poolware.web.asgi import ASGIApp, Receive, Scope, Send
from poolware.web.dashboard.access import from_this_machine
from poolware.web.dashboard.answers import Answer, Dashboard, refused
from poolware.web.wsgi import Environ, StartResponse, WSGIApp

__all__ = ["asgi", "wsgi"]


def asgi(
    directory: str | os.PathLike[str] | None = None,
    *,
    allow: Callable[[Any], bool | Awaitable[bool]] = from_this_machine,
    held_for: float = 60.0,
) -> ASGIApp:
    """Return the live page as an ASGI application.

        app.mount("/poolware", dashboard.asgi())

    Args:
        directory: where the workers publish; as for `poolware.observe.Share`.
        allow: a function of the ASGI scope, async or not, that returns True for who may look, and nothing else that is
            true. By default that is who asks from this machine itself. If it raises, nobody is let in.
        held_for: seconds in use after which something counts as not coming back; more than the longest normal use.

    Raises:
        BadOption: an argument has a value that it does not take.
    """
    dashboard = Dashboard(directory, held_for=held_for)
    _check(allow)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - no body is read
        if scope["type"] != "http":
            msg = f"the live page answers http, and not {scope['type']}"
            raise ValueError(msg)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        answer = await _apart(dashboard, scope["method"], path) if await _allows(allow, scope) else refused()
        headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    return app


def wsgi(
    directory: str | os.PathLike[str] | None = None,
    *,
    allow: Callable[[Any], bool] = from_this_machine,
    held_for: float = 60.0,
) -> WSGIApp:
    """Return the live page as a WSGI application.

        app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/poolware": dashboard.wsgi()})

    Args:
        directory: where the workers publish; as for `poolware.observe.Share`.
        allow: a function of the environ that returns True for who may look, and nothing else that is true. By default
            that is who asks from this machine itself. If it raises, nobody is let in.
        held_for: seconds in use after which something counts as not coming back; more than the longest normal use.

    Raises:
        BadOption: an argument has a value that it does not take.
    """
    dashboard = Dashboard(directory, held_for=held_for)
    _check(allow)

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        allowed = _allows_now(allow, environ)
        path = environ.get("PATH_INFO", "")
        answer = dashboard.answer(environ["REQUEST_METHOD"], path) if allowed else refused()
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(answer.headers))
        return [answer.body]

    return app


def _check(allow: object) -> None:
    if not callable(allow):
        msg = f"allow={allow!r}: it takes a function of an ASGI scope or a WSGI environ that returns True or False"
        raise BadOption(msg)


async def _allows(allow: Callable[[Any], Any], scope: Scope) -> bool:
    # True itself: a coroutine or a redirect to a login page, which an `allow` may return by mistake, is true as well.
    try:
        said = allow(scope)
        return (await said if isawaitable(said) else said) is True
    except Exception:
        logger.exception("the live page lets nobody in: allow=%r failed", allow)
        return False


def _allows_now(allow: Callable[[Any], Any], environ: Environ) -> bool:
    try:
        return allow(environ) is True
    except Exception:
        logger.exception("the live page lets nobody in: allow=%r failed", allow)
        return False


async def _apart(dashboard: Dashboard, method: str, path: str) -> Answer:
    """Answer in a thread: reading what many workers have published would hold up the requests of this one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return await sys.modules["trio"].to_thread.run_sync(dashboard.answer, method, path)  # type: ignore[no-any-return]
    return await asyncio.to_thread(dashboard.answer, method, path)
