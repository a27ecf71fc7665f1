"""Starlette, with poolware around everything. Runs on asyncio and on trio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import sniffio
import trio
from apps.branches import ASGIBranches
from apps.control import ASGIControl, control
from apps.holders import ACTS, SECONDS, holders, look
from apps.visit import Visit, VisitContext, Visitor, arrive, lifecycle
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from starlette_poolware import init_app, read_body

LIMIT = 256 * 1024
PIECE, PIECES = 32 * 1024, 192
"""A big answer: bytes at a time, and how often; more than all buffers on the way hold."""
_tasks: set[asyncio.Task[None]] = set()


def install(app: Starlette) -> Starlette:
    init_app(app, lifecycle)
    return app


def state_of(connection: HTTPConnection) -> VisitContext:
    return VisitContext.of(connection)


async def body_of(request: Request) -> Any:
    return await read_body(request, limit=LIMIT)


def enter(connection: HTTPConnection) -> tuple[Visit, Visitor]:
    visitor = Visitor.named(connection.query_params)
    return arrive(state_of(connection), connection.scope, visitor), visitor


# --- the ways a visit can go ------------------------------------------------------------------------------------------


async def visit(request: Request) -> Response:
    kind = request.path_params["kind"]
    here, visitor = enter(request)
    if kind in KINDS:
        return await KINDS[kind](request, here, visitor)
    await anyio.sleep(visitor.pause)
    response = Response(here.account())
    if kind in ACTS:
        ACTS[kind](here, request.query_params, request)
    return response


async def fail(_request: Request, here: Visit, visitor: Visitor) -> Response:
    await anyio.sleep(visitor.pause)
    raise RuntimeError(here.account())


async def refuse(_request: Request, here: Visit, _visitor: Visitor) -> Response:
    raise HTTPException(418, here.account().decode())


async def leave(_request: Request, here: Visit, visitor: Visitor) -> Response:
    return StreamingResponse(pieces(here, visitor, 200))


async def stream(_request: Request, here: Visit, visitor: Visitor) -> Response:
    return StreamingResponse(pieces(here, visitor, 3))


async def pieces(here: Visit, visitor: Visitor, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield here.account()
        await anyio.sleep(visitor.pause)


async def cancel(request: Request, here: Visit, visitor: Visitor) -> Response:
    await anyio.sleep(visitor.pause)
    while (await request.receive())["type"] != "http.disconnect":
        pass
    asyncio.current_task().cancel()
    await asyncio.sleep(0)
    return Response(here.account())


async def endless(_request: Request, here: Visit, _visitor: Visitor) -> Response:
    async def go_on() -> AsyncIterator[bytes]:
        try:
            for _ in range(2000):
                yield here.account()
                await anyio.sleep(0.01)
        finally:
            look(here.ctx, "stream closed")

    return StreamingResponse(go_on())


async def wedge(_request: Request, here: Visit, _visitor: Visitor) -> Response:
    async def give_up() -> AsyncIterator[bytes]:
        yield here.account()
        msg = "half way"
        raise RuntimeError(msg)

    return StreamingResponse(give_up(), headers={"Content-Length": "20000"})


async def big(_request: Request, here: Visit, _visitor: Visitor) -> Response:
    async def much() -> AsyncIterator[bytes]:
        for _ in range(PIECES):
            yield f"{here.ctx.user} {here.ctx.tenant} ".encode().ljust(64) * (PIECE // 64)
            here.account()

    return StreamingResponse(much())


async def nothing(_request: Request, _here: Visit, _visitor: Visitor) -> Response:
    return Response(status_code=304)


async def abandon(_request: Request, here: Visit, visitor: Visitor) -> Response:
    StreamingResponse(pieces(here, visitor, 3))
    return Response(here.account())


async def abandon_and_fail(_request: Request, here: Visit, visitor: Visitor) -> Response:
    response = StreamingResponse(pieces(here, visitor, 3))
    raise RuntimeError(f"{response}")


class Messages(Response):
    """Sends what it is given, and says then whether the state is still there."""

    def __init__(self, state: Visit, *messages: Any) -> None:
        super().__init__()
        self.state, self.messages = state, messages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for message in self.messages:
            if isinstance(message, Exception):
                raise message
            await send(message)
        look(self.state.ctx, "sent")


def start(length: int | None = None, **more: Any) -> Any:
    headers = [] if length is None else [(b"content-length", b"%d" % length)]
    return {"type": "http.response.start", "status": 200, "headers": headers, **more}


def content(body: bytes, **more: Any) -> Any:
    return {"type": "http.response.body", "body": body, **more}


async def break_off(_request: Request, here: Visit, _visitor: Visitor) -> Response:
    return Messages(here, start(20000), content(here.account(), more_body=True), RuntimeError("after the headers"))


async def hint(request: Request, here: Visit, _visitor: Visitor) -> Response:
    """Send 103 as ASGI says, or as gunicorn wants it."""
    link = b"</style.css>; rel=preload"
    if "http.response.early_hint" in request.scope.get("extensions", {}):
        early = {"type": "http.response.early_hint", "links": [link]}
    else:
        early = {"type": "http.response.informational", "status": 103, "headers": [(b"link", link)]}
    body = here.account()
    return Messages(here, early, start(len(body)), content(body))


async def send_file(_request: Request, here: Visit, _visitor: Visitor) -> Response:
    """A file, which the server reads by itself where it has ``http.response.pathsend``."""
    return FileResponse(__file__, background=BackgroundTask(look, here.ctx, "sent"))


async def trail(_request: Request, here: Visit, _visitor: Visitor) -> Response:
    body = here.account()
    trailers = {"type": "http.response.trailers", "headers": [(b"x-length", b"%d" % len(body))], "more_trailers": False}
    return Messages(here, start(trailers=True), content(body), trailers)


async def linger(request: Request, here: Visit, visitor: Visitor) -> Response:
    """Take some time before the answer, and tell how it ended."""
    control.saw("slow began")
    try:
        await anyio.sleep(visitor.pause)
    except BaseException as error:
        control.saw(f"slow ended: {type(error).__name__}")
        raise
    look(here.ctx, "slow ended")
    return Response(here.account())


def linger_in_thread(request: Request) -> Response:
    """The same in a view that is no coroutine."""
    here, visitor = enter(request)
    control.saw("slow began")
    time.sleep(visitor.pause)
    look(here.ctx, "slow ended")
    return Response(here.account())


async def receive_upload(request: Request, here: Visit, _visitor: Visitor) -> Response:
    body = await body_of(request)
    return Response(here.account() + b" %d" % len(body))


async def behind(request: Request, here: Visit, _visitor: Visitor) -> Response:
    def later() -> None:
        look(here.ctx, "background")
        if "fail" in request.query_params:
            msg = "in the background"
            raise RuntimeError(msg)

    return Response(here.account(), background=BackgroundTask(later))


async def forget(_request: Request, here: Visit, _visitor: Visitor) -> Response:
    """Leave a task behind that keeps the state."""

    async def stay(state: Any) -> None:
        with anyio.move_on_after(SECONDS):
            while not holders.awake:  # noqa: ASYNC110 - set from any thread or loop
                await anyio.sleep(0.01)
        look(state, "task")

    if sniffio.current_async_library() == "trio":
        trio.lowlevel.spawn_system_task(stay, here.ctx)
    else:
        task = asyncio.create_task(stay(here.ctx))
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
    return Response(here.account())


async def track(_request: Request, here: Visit, _visitor: Visitor) -> Response:
    """Fail with the state among the local variables."""
    ctx = here.ctx
    ctx.params.clear()  # held the secret, in a field that is not declared sensitive
    raise RuntimeError(ctx.tenant)


KINDS: dict[str, Callable[[Request, Visit, Visitor], Awaitable[Response]]] = {
    "raise": fail,
    "refuse": refuse,
    "leave": leave,
    "stream": stream,
    "cancel": cancel,
    "endless": endless,
    "wedge": wedge,
    "big": big,
    "nothing": nothing,
    "abandon": abandon,
    "abandon-and-fail": abandon_and_fail,
    "break-off": break_off,
    "linger": linger,
    "upload": receive_upload,
    "behind": behind,
    "forget": forget,
    "hint": hint,
    "send-file": send_file,
    "trail": trail,
    "track": track,
}


async def hello(_request: Request) -> Response:
    return PlainTextResponse("hello")


async def socket(websocket: WebSocket) -> None:
    here, _ = enter(websocket)
    if "deny" in websocket.query_params:
        await websocket.close()
        return
    await websocket.accept()
    try:
        while (text := await websocket.receive_text()) != "close":
            if text == "fail":
                raise RuntimeError(text)
            await websocket.send_text(f"{text} {here.account().decode()}")
        await websocket.close()
    except WebSocketDisconnect:
        look(here.ctx, "websocket left")


# --- the same application in other arrangements -----------------------------------------------------------------------


def make(*middleware: Middleware) -> Starlette:
    return Starlette(
        routes=[
            Route("/visit/{kind}", visit, methods=["GET", "POST"]),
            Route("/sync/visit/linger", linger_in_thread),
            Route("/hello", hello),
            WebSocketRoute("/socket", socket),
        ],
        middleware=middleware,
    )


def within(app: Any, *middleware: Middleware, path: str = "") -> Starlette:
    return Starlette(routes=[Mount(path, app)], middleware=middleware)


class Passing(BaseHTTPMiddleware):
    """A middleware that wraps the response, as `BaseHTTPMiddleware` does."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers.append("x-passed", "yes")
        return response


def traced() -> Any:
    from apps.trackers import traced_asgi

    return traced_asgi(install(within(traced_asgi(make()))))


def tracked() -> Any:
    from apps.trackers import tracked_asgi

    return install(within(tracked_asgi(make())))


def tracked_outside() -> Any:
    from apps.trackers import tracked_asgi

    return tracked_asgi(install(make()))


BRANCHES = {
    "/wrapped": lambda: within(install(make(Middleware(Passing))), Middleware(Passing)),
    "/compressed": lambda: within(install(make(Middleware(GZipMiddleware, 1))), Middleware(GZipMiddleware, 1)),
    "/nested": lambda: install(within(make(), path="/deep")),
    "/twice": lambda: install(within(install(make()))),
    "/traced": traced,
    "/tracked": tracked,
    "/tracked-outside": tracked_outside,
}
app = ASGIControl(ASGIBranches(install(make()), BRANCHES))
