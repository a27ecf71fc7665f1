"""One message in one pooled buffer, sent to every websocket that listens.

uvicorn examples.broadcast:app
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from poolware import Buffer, BufferPool, RefCounted

Message = RefCounted[Buffer]

BACKLOG = 8
FRAME_BYTES = 16 << 10
MAX_MESSAGE_BYTES = 4 << 20

messages = BufferPool(name="messages", max_size=MAX_MESSAGE_BYTES)


class Hub:
    """Who listens. Each listener has a short queue of messages, and a reference to each message in it."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Message]] = set()
        self.missed = 0

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Message]]:
        queue: asyncio.Queue[Message] = asyncio.Queue(BACKLOG)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.remove(queue)
            while not queue.empty():
                queue.get_nowait().release()

    def publish(self, message: Message) -> int:
        """Queue `message` for every listener that is not too far behind; return for how many."""
        ready = [queue for queue in self._queues if not queue.full()]
        for queue in ready:
            queue.put_nowait(message.retain())
        self.missed += len(self._queues) - len(ready)
        return len(ready)


hub = Hub()


async def publish(request: Request) -> Response:
    with RefCounted.acquire(messages, int(request.headers.get("content-length", 0))) as message:
        async for chunk in request.stream():
            message.value.write(chunk)
        return JSONResponse({"listeners": hub.publish(message)}, 202)


async def listen(websocket: WebSocket) -> None:
    await websocket.accept()
    with suppress(WebSocketDisconnect), hub.listen() as queue:
        async with anyio.create_task_group() as group:
            group.start_soon(until_gone, websocket, group.cancel_scope)
            while True:
                with await queue.get() as message:
                    await deliver(message, websocket)


async def until_gone(websocket: WebSocket, scope: anyio.CancelScope) -> None:
    """A listener who leaves while nothing is sent shows nowhere else."""
    with suppress(WebSocketDisconnect):
        while True:
            await websocket.receive_text()
    scope.cancel()


async def deliver(message: Message, websocket: WebSocket) -> None:
    """Send in frames: servers copy each into their queue, and a slow listener costs as much as one of them."""
    with message.value.getbuffer() as content:
        for start in range(0, len(content), FRAME_BYTES):
            await websocket.send({"type": "websocket.send", "bytes": content[start : start + FRAME_BYTES]})


app = Starlette(routes=[Route("/publish", publish, methods=["POST"]), WebSocketRoute("/listen", listen)])
