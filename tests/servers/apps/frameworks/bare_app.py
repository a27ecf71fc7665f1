"""No framework at all: an ASGI and a WSGI callable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from apps.frameworks.shared import STREAMS, STREAMS_SYNC, enter, home, linger, look
from apps.visit import Visit

from poolware.web.asgi import PoolwareMiddleware as ASGIPoolware
from poolware.web.wsgi import PoolwareMiddleware as WSGIPoolware


async def _asgi(scope: Any, receive: Any, send: Any) -> None:
    here, kind = enter(scope, dict(parse_qsl(scope["query_string"].decode()))), scope["path"].rpartition("/")[2]
    if scope["type"] == "websocket":
        await talk(here, receive, send)
    elif kind in STREAMS:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        async for piece in STREAMS[kind](here):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})
    elif kind == "raise":
        raise RuntimeError(here.account())
    else:
        body = await linger(here) if kind == "linger" else here.account()
        length = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 404 if kind == "refuse" else 200, "headers": length})
        await send({"type": "http.response.body", "body": body})


async def talk(here: Visit, receive: Any, send: Any) -> None:
    while (message := await receive())["type"] != "websocket.disconnect":
        if message["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        elif message["text"] == "close":
            await send({"type": "websocket.close"})
            return
        else:
            await send({"type": "websocket.send", "text": f"{message['text']} {here.account().decode()}"})
    look(here.ctx, "websocket left")


def _wsgi(environ: Any, start_response: Any) -> Iterable[bytes]:
    here, kind = enter(environ, dict(parse_qsl(environ["QUERY_STRING"]))), environ["PATH_INFO"].rpartition("/")[2]
    if kind == "raise":
        raise RuntimeError(here.account())
    start_response("404 Not Found" if kind == "refuse" else "200 OK", [])
    return STREAMS_SYNC[kind](here) if kind in STREAMS_SYNC else [here.account()]


asgi = ASGIPoolware(_asgi, home)
wsgi = WSGIPoolware(_wsgi, home)
