"""The Flask extension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Request

from flask_poolware.command import show_pools
from flask_poolware.refusal import answer, note_failure
from poolware import BadOption, ConfigurationError, Lifecycle, RequestRefused
from poolware.web.accessor import install
from poolware.web.lifecycle import lifecycle_from
from poolware.web.wsgi import PoolwareMiddleware

if TYPE_CHECKING:
    from typing import Unpack

    from poolware.web.lifecycle import LifecycleOptions

__all__ = ["Poolware"]


class Poolware:
    """Gives every request a ``request.ctx``, from before the first hook until the server closes the response.

        Poolware(app, context=AppContext)

    or, with an application factory, ``poolware = Poolware(context=AppContext)`` and later ``poolware.init_app(app)``.
    Each application has a `Lifecycle` of its own, unless one is given: ``app.extensions["poolware"]``. A
    `RequestRefused` of poolware's, such as `PoolTimeout`, is answered with its status, by the application's own error
    pages if it has some.

    Args:
        app: the application.
        lifecycle: a `Lifecycle`; or its options as keywords.

    Raises:
        UnknownOption: an option of this name does not exist.
        BadOption: an option has a value that it does not take.
    """

    def __init__(
        self, app: Flask | None = None, lifecycle: Lifecycle[Any] | None = None, **options: Unpack[LifecycleOptions]
    ) -> None:
        self._lifecycle = lifecycle
        self._options = dict(options)
        if app is not None:
            self.init_app(app)
        else:
            lifecycle_from("Poolware", lifecycle, self._options)  # a wrong option shows here, not in the factory

    def init_app(self, app: Flask) -> Lifecycle[Any]:
        """Put poolware around `app`; return its `Lifecycle`.

        Raises:
            ConfigurationError: the application has poolware already.
            BadOption: `app` is no Flask application.
        """
        if not isinstance(app, Flask):
            msg = f"app={app!r}: it takes a Flask application; Poolware(app, context=…) takes the context by keyword"
            raise BadOption(msg)
        if "poolware" in app.extensions:
            msg = f"{app.name}: init_app() was called before for this application; it comes once"
            raise ConfigurationError(msg)
        lifecycle = lifecycle_from("Poolware", self._lifecycle, self._options)
        app.extensions["poolware"] = lifecycle
        app.wsgi_app = PoolwareMiddleware(app.wsgi_app, lifecycle)  # type: ignore[method-assign]
        app.error_handler_spec[None][None].setdefault(RequestRefused, answer)
        app.teardown_request(note_failure)
        install(Request)
        install(app.request_class)
        app.cli.add_command(show_pools)
        return lifecycle
