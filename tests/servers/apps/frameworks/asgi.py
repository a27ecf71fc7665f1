"""The applications for ASGI servers."""

from __future__ import annotations

from typing import Any

from apps.control import ASGIControl
from apps.frameworks import bare_app, falcon_app, litestar_app, quart_app, rest_framework_app

APPS: dict[str, Any] = {
    "litestar": litestar_app.app,
    "quart": quart_app.app,
    "falcon": falcon_app.asgi,
    "django": rest_framework_app.asgi,
    "bare": bare_app.asgi,
}


async def choose(scope: Any, receive: Any, send: Any) -> None:
    """Hand a request to the application that its path begins with, which sees the rest of the path."""
    if scope["type"] == "lifespan":
        await APPS["quart"](scope, receive, send)
        return
    name, _, rest = scope["path"].removeprefix("/").partition("/")
    await APPS[name]({**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode()}, receive, send)


app = ASGIControl(choose)
