"""init_app: poolware around a whole application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette

from poolware import BadOption, ConfigurationError, RequestRefused
from poolware.web.lifecycle import lifecycle_from
from starlette_poolware.middleware import PoolwareMiddleware
from starlette_poolware.refusal import answer

if TYPE_CHECKING:
    from typing import Unpack

    from poolware import Lifecycle
    from poolware.web.lifecycle import LifecycleOptions

__all__ = ["init_app"]


def init_app(
    app: Starlette, lifecycle: Lifecycle[Any] | None = None, **options: Unpack[LifecycleOptions]
) -> Lifecycle[Any]:
    """Put poolware around everything in `app`, so that handlers for ``Exception`` and 500 have ``request.ctx`` too.

    A `RequestRefused` of poolware's, such as `PoolTimeout`, is answered with its status, by the application's own error
    pages if it has some.

    Returns the application's `Lifecycle`, which is also ``app.state.poolware``.

    Args:
        app: a Starlette or FastAPI application.
        lifecycle: a `Lifecycle`; or its options as keywords.

    Raises:
        ConfigurationError: the application has served already, or has poolware already.
        UnknownOption: an option of this name does not exist.
        BadOption: an option has a value that it does not take.
    """
    if not isinstance(app, Starlette):
        msg = f"app={app!r}: it takes a Starlette or FastAPI application"
        raise BadOption(msg)
    if app.middleware_stack is not None or hasattr(app.state, "poolware"):
        msg = "init_app() comes once, and before the application's first request"
        raise ConfigurationError(msg)
    lifecycle = lifecycle_from("init_app", lifecycle, dict(options))
    build_inner = app.build_middleware_stack

    def build_middleware_stack() -> PoolwareMiddleware:
        app.exception_handlers.setdefault(RequestRefused, answer)
        return PoolwareMiddleware(build_inner(), lifecycle)

    app.build_middleware_stack = build_middleware_stack  # type: ignore[method-assign]
    app.state.poolware = lifecycle
    return lifecycle
