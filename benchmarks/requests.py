"""The server's part for WSGI applications."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults


def environ() -> dict[str, Any]:
    """Return the environ of ``GET /``; each request takes a copy."""
    made: dict[str, Any] = {"wsgi.input": BytesIO()}
    setup_testing_defaults(made)
    return made


def start_response(_status: str, _headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
    """Do nothing."""


def served(app: Any, environ: dict[str, Any]) -> None:
    """Serve one request as a server does: read all of the response, then close it."""
    response = app(environ, start_response)
    for _piece in response:
        pass
    if hasattr(response, "close"):
        response.close()
