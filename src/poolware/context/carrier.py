"""Where a request keeps its context: an ASGI scope or a WSGI environ."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

from poolware._core.cycle import KEY
from poolware.errors import ContextMissing

__all__ = ["FAILED", "KEY", "LOANS", "Carrier", "carrier_of", "incoming_request_id", "request_line"]

Carrier = MutableMapping[str, Any]

LOANS = "poolware.loans"
"""Where an ASGI scope carries what event loops have lent to its request. Absent as long as that is nothing."""
FAILED = "poolware.failed"
"""Present in a carrier whose request has failed in a way that its middleware does not see."""

_VALID_ID = re.compile(r"[A-Za-z0-9._~:+/=@-]{1,128}")


def carrier_of(request: Any) -> Carrier:
    """Return the mapping that carries the context of `request`.

    `request` is an ASGI scope or a WSGI environ, or an object that has one as ``scope``, ``environ``, ``env`` or
    ``META``: a request of any framework.

    Raises:
        ContextMissing: it is none of them.
    """
    if type(request) is dict:
        return request
    for name in ("scope", "environ", "env", "META"):
        carrier = getattr(request, name, None)
        if isinstance(carrier, MutableMapping):
            return carrier
    if isinstance(request, MutableMapping):
        return request
    msg = (
        f"{type(request).__name__} object is no request: of() takes a request, an ASGI scope or a WSGI environ, or "
        "what has one as its scope, environ, env or META"
    )
    raise ContextMissing(msg)


def missing(carrier: Carrier) -> ContextMissing:
    """Return the error to raise for a request that carries no context."""
    line = request_line(carrier)
    msg = (
        f"{line or 'this request'} carries no context. Either the poolware middleware is not installed for this "
        "application, or the response has ended and the context went back: use ctx.detach() for work that outlives it"
    )
    return ContextMissing(msg)


def request_line(carrier: Carrier) -> str:
    """Return method and path, such as ``GET /orders/17``, without the query string; empty if `carrier` knows none."""
    path = carrier.get("path")  # ASGI
    method = carrier.get("method", "WebSocket")
    if path is None:
        method = carrier.get("REQUEST_METHOD")
        path = f"{carrier.get('SCRIPT_NAME', '')}{carrier.get('PATH_INFO', '')}"
    path = str(path)  # an application may have spoilt it
    if not path.isprintable():  # a client may have put line breaks into it, and this ends up in logs
        path = path.encode("unicode_escape").decode()
    return f"{method} {path[:200]}" if method else ""


def incoming_request_id(carrier: Carrier) -> str | None:
    """Return the client's ``X-Request-ID`` if it is 1 to 128 harmless characters, else None."""
    headers = carrier.get("headers")  # ASGI
    if headers is None:
        value = carrier.get("HTTP_X_REQUEST_ID", "")
    else:
        value = ""
        for name, raw in headers:
            if name == b"x-request-id":
                value = raw.decode("latin-1")
                break
    return value if value and _VALID_ID.fullmatch(value) else None
