"""The middleware for every ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from poolware.context.carrier import KEY, LOANS
from poolware.context.loans import give_back_async
from poolware.errors import RequestRefused
from poolware.web.lifecycle import callable_app, lifecycle_from
from poolware.web.refusal import refuse_async

if TYPE_CHECKING:
    from typing import Unpack

    from poolware.web.lifecycle import Lifecycle, LifecycleOptions

__all__ = ["ASGIApp", "Message", "PoolwareMiddleware", "Receive", "Scope", "Send"]

Scope = MutableMapping[str, Any]
"""What an ASGI server says of a request or websocket."""
Message = MutableMapping[str, Any]
"""What an ASGI server and an application tell each other."""
Receive = Callable[[], Awaitable[Message]]
"""Awaits the next message of the client."""
Send = Callable[[Message], Awaitable[None]]
"""Sends a message to the client."""
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI application."""


class PoolwareMiddleware:
    """Gives every ``http`` and ``websocket`` scope a context, until the application has returned or raised.

    Streams, background tasks and disconnects all lie within that. A scope that already carries a context is left to
    the outer middleware. Lifespan builds the contexts that ``prewarm`` asks for and lets go of them at its end; other
    scopes pass through.

        app = PoolwareMiddleware(app, context=AppContext)

    Args:
        app: the application.
        lifecycle: a `Lifecycle`; or its options as keywords.
    """

    def __init__(
        self, app: ASGIApp, lifecycle: Lifecycle[Any] | None = None, **options: Unpack[LifecycleOptions]
    ) -> None:
        self.lifecycle: Lifecycle[Any] = lifecycle_from("PoolwareMiddleware", lifecycle, dict(options))
        callable_app(app)
        self.app = app
        self._begin, self._finish = self.lifecycle.begin, self.lifecycle.finish

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        kind = scope["type"]
        if (kind != "http" and kind != "websocket") or KEY in scope:  # noqa: PLR1714 - cheaper than a set
            await self._pass(scope, receive, send)
            return
        self._begin(scope)
        try:
            await self.app(scope, receive, send)
        except RequestRefused as error:
            if not await refuse_async(scope, send, error):
                raise
        finally:
            try:
                if LOANS in scope:
                    await give_back_async(scope)
            finally:
                self._finish(scope)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        lifespan = scope["type"] == "lifespan"
        if lifespan:
            self.lifecycle.open()
        await self.app(scope, receive, send)
        if lifespan:
            self.lifecycle.close()
