"""An ASGI application without poolware, for what servers do by themselves."""

from __future__ import annotations

import gc
import weakref
from typing import Any


class State:
    """What a request has in its hands when it fails."""


states: weakref.WeakSet[State] = weakref.WeakSet()


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        return
    if scope["path"] == "/held":
        gc.collect()
        await answer(send, b"%d" % len(states))
        return
    state = State()
    states.add(state)
    if scope["path"] == "/break-off":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"20000")]})
        await send({"type": "http.response.body", "body": b"the beginning", "more_body": True})
    msg = f"{state} failed"
    raise RuntimeError(msg)


async def answer(send: Any, body: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
