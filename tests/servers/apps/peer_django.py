"""Django without poolware: a middleware that acquires, and ``request_finished``, which gives back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps import django_app
from apps.control import ASGIControl, WSGIControl
from apps.peer_state import pool
from asgiref.local import Local
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.signals import request_finished
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware

current = Local()
django_app.state_of = lambda request: request.state


@sync_and_async_middleware
def begin(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    async def begin_async(request: HttpRequest) -> Any:
        request.state = current.state = pool.acquire()
        return await get_response(request)

    def begin_sync(request: HttpRequest) -> Any:
        request.state = current.state = pool.acquire()
        return get_response(request)

    return begin_async if iscoroutinefunction(get_response) else begin_sync


def end(**_: Any) -> None:
    """The signal says nothing of its request: whoever needs one keeps it beside, as here."""
    state = getattr(current, "state", None)
    if state is not None:
        del current.state
        pool.release(state)


def nothing() -> None:
    """The middleware counts."""


request_finished.connect(end)
settings.MIDDLEWARE = [f"{django_app.__name__}.counting", f"{__name__}.begin"]
with_signal = WSGIControl(get_wsgi_application(), nothing)
with_signal_async = ASGIControl(get_asgi_application(), nothing)
