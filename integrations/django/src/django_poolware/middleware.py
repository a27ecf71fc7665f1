"""The middleware, for WSGI and ASGI, sync and async."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse

from django_poolware.conf import lifecycle
from django_poolware.turns import in_turns
from poolware import RequestRefused
from poolware.context.carrier import FAILED, KEY, carrier_of
from poolware.web.accessor import install
from poolware.web.ending import Ending
from poolware.web.refusal import explain, retry_headers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http.response import HttpResponseBase

    from poolware import Lifecycle
    from poolware.context.carrier import Carrier

__all__ = ["PoolwareMiddleware"]

_PLAIN = "text/plain; charset=utf-8"


class PoolwareMiddleware:
    """Gives every request a ``request.ctx`` until its response is closed, or its view is cancelled before there is one.

    A response that nobody closes ends the request when it is collected.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.lifecycle: Lifecycle[Any] = lifecycle()
        self._serve = in_turns(get_response) if self.lifecycle.ambient else get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        install(HttpRequest)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Serve one request."""
        carrier = carrier_of(request)
        if KEY in carrier:
            return self.get_response(request)  # type: ignore[no-any-return]
        if self._is_async:
            return self._serve_async(request, carrier)
        self.lifecycle.begin(carrier)
        try:
            response = self._serve(request)
        except BaseException:
            self.lifecycle.finish(carrier)
            raise
        return self._until_closed(response, carrier)

    async def _serve_async(self, request: HttpRequest, carrier: Carrier) -> HttpResponseBase:
        self.lifecycle.begin(carrier)
        try:
            response = await self.get_response(request)
        except BaseException:
            self.lifecycle.finish(carrier)
            raise
        return self._until_closed(response, carrier)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a refused request with its status."""
        carrier = carrier_of(request)
        if not isinstance(exception, RequestRefused):
            carrier[FAILED] = True
            return None
        text, headers = f"{explain(carrier, exception)}\n", retry_headers(exception)
        return HttpResponse(text, status=exception.status, headers={"Content-Type": _PLAIN, **headers})

    def _until_closed(self, response: HttpResponseBase, carrier: Carrier) -> HttpResponseBase:
        # Among the closers, and not in place of close(): a response may be pickled by a cache further out.
        response._resource_closers.append(Ending(self.lifecycle.finish, carrier))  # type: ignore[attr-defined]
        return response
