"""What a proxy asks: long answers, whole or broken off. Says how much of them it got rid of."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from apps.control import ASGIControl, control
from apps.in_transit import hold_little
from apps.pattern import SIZE, blocks

streams = {"sent": 0, "running": 0}


async def serve(scope: Any, _receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    query = {name: int(values[-1]) for name, values in parse_qs(scope["query_string"].decode()).items()}
    headers = [(b"content-length", b"%d" % SIZE), (b"content-type", b"application/octet-stream")]
    await send({"type": "http.response.start", "status": 203, "headers": headers})
    streams["running"] += 1
    try:
        for number, block in enumerate(blocks(query["seed"])):
            if number == query.get("breaks_at"):
                raise ConnectionError
            await send({"type": "http.response.body", "body": block, "more_body": True})
            streams["sent"] += len(block)
        await send({"type": "http.response.body"})
    finally:
        streams["running"] -= 1


hold_little()
control.actions |= {"streams": lambda: streams}
app = ASGIControl(serve)
