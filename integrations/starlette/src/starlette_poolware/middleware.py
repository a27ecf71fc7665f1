"""The middleware, with ``request.ctx`` on Starlette's requests and websockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection

from poolware.web.accessor import install
from poolware.web.asgi import PoolwareMiddleware as ASGIMiddleware

if TYPE_CHECKING:
    from typing import Unpack

    from poolware import Lifecycle
    from poolware.web.asgi import ASGIApp
    from poolware.web.lifecycle import LifecycleOptions

__all__ = ["PoolwareMiddleware"]


class PoolwareMiddleware(ASGIMiddleware):
    """Gives every request and websocket a ``ctx`` until the response has ended.

        app.add_middleware(PoolwareMiddleware, context=AppContext)

    Handlers for ``Exception`` and 500 lie outside of what ``add_middleware`` adds; `init_app` reaches them too.
    """

    def __init__(
        self, app: ASGIApp, lifecycle: Lifecycle[Any] | None = None, **options: Unpack[LifecycleOptions]
    ) -> None:
        super().__init__(app, lifecycle, **options)
        install(HTTPConnection)
