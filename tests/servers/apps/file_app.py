"""The Flask app, with an eye on what gunicorn does with a file wrapper."""

from __future__ import annotations

from typing import Any

import gunicorn.http.wsgi
from apps import flask_app
from apps.control import control
from apps.visit import lifecycle

_sendfile = gunicorn.http.wsgi.Response.sendfile


def sendfile(self: Any, respiter: Any) -> Any:
    sent = _sendfile(self, respiter)
    control.saw(f"sendfile {sent} of a {type(respiter).__name__} with {lifecycle.pool.get_stats().in_use} in use")
    return sent


gunicorn.http.wsgi.Response.sendfile = sendfile
app = flask_app.app
