"""A room of websockets: what one says, all hear."""

import json
from collections import defaultdict
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

rooms: defaultdict[str, set[WebSocket]] = defaultdict(set)


async def broadcast(websocket: WebSocket, ctx: Any) -> None:
    """Pass everything on to everybody in the room, with the name from the context of who said it."""
    room = rooms[websocket.path_params["room"]]
    await websocket.accept()
    ctx.user = websocket.query_params.get("user", "")
    room.add(websocket)
    try:
        while True:
            message = json.dumps({"user": ctx.user, "said": await websocket.receive_text()})
            for listener in list(room):
                await listener.send_text(message)
    except WebSocketDisconnect:
        pass
    finally:
        room.discard(websocket)
        if not room:
            rooms.pop(websocket.path_params["room"], None)
