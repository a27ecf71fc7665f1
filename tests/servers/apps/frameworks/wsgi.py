"""The applications for WSGI servers."""

from __future__ import annotations

from typing import Any

from apps.control import WSGIControl
from apps.frameworks import bare_app, falcon_app, rest_framework_app

APPS: dict[str, Any] = {"falcon": falcon_app.wsgi, "django": rest_framework_app.wsgi, "bare": bare_app.wsgi}


def choose(environ: Any, start_response: Any) -> Any:
    """Hand a request to the application that its path begins with, which sees the rest of the path."""
    name, _, rest = environ["PATH_INFO"].removeprefix("/").partition("/")
    return APPS[name]({**environ, "PATH_INFO": f"/{rest}"}, start_response)


app = WSGIControl(choose)
