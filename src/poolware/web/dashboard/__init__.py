"""The live page: what the pools of every worker of this machine do, in words and pictures.

Mounted on purpose, read-only, and shown to this machine alone unless the application says otherwise (H38).

    app.mount("/poolware", dashboard.asgi())        # Starlette, FastAPI
    DispatcherMiddleware(app.wsgi_app, {"/poolware": dashboard.wsgi()})        # Flask

docs/live-page.md has the rest.
"""

from poolware.web.dashboard.access import from_this_machine
from poolware.web.dashboard.answers import Answer, Dashboard
from poolware.web.dashboard.apps import asgi, wsgi
from poolware.web.dashboard.overview import SCHEMA

__all__ = ["SCHEMA", "Answer", "Dashboard", "asgi", "from_this_machine", "wsgi"]
