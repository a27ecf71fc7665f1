"""What a careful engineer writes: the costly objects live in the module and are reset by hand."""

import csv
import hashlib
import io
import time
import zlib
from collections.abc import AsyncIterator
from typing import Any

import zstandard
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from loadtests.answers import (
    CHUNK_BYTES,
    FEED_PIECES,
    MAX_UPLOAD_BYTES,
    SCRATCH_BYTES,
    ZSTD_LEVEL,
    report_rows,
)
from loadtests.apps.requests import load_story, request_id, row_count, transform_size

IDLE_SCRATCH: list[bytearray] = []
# One event loop, one thread: between two awaits nobody else can be using these.
CSV_BUFFER = io.StringIO(newline="")
COMPRESSOR = zstandard.ZstdCompressor(level=ZSTD_LEVEL)


class Context:
    """The fields of a request; `clear` has to be kept in step with them by hand."""

    __slots__ = ("params", "request_id", "response", "roles", "started_at", "tenant", "token", "user")

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self.roles: set[str] = set()
        self.clear()

    def clear(self) -> None:
        """Set every field back to its default."""
        self.params.clear()
        self.roles.clear()
        self.request_id = ""
        self.response: Any = None
        self.started_at = 0.0
        self.tenant = ""
        self.token: str | None = None
        self.user: str | None = None


class ReusedContext:
    """ASGI middleware that takes the context from a list and puts it back after the response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.idle: list[Context] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        ctx = self.idle.pop() if self.idle else Context()
        ctx.request_id = request_id(scope)
        ctx.started_at = time.time()
        scope["ctx"] = ctx
        try:
            await self.app(scope, receive, send)
        finally:
            del scope["ctx"]
            ctx.clear()
            self.idle.append(ctx)


def signed_in(request: Request) -> Context:
    """Note in the context who is asking."""
    ctx: Context = request.scope["ctx"]
    ctx.user = request.query_params.get("user", "")
    ctx.tenant = "acme"
    ctx.roles.add("reader")
    ctx.params["user"] = ctx.user
    if authorization := request.headers.get("authorization"):
        ctx.token = authorization.removeprefix("Bearer ")
    return ctx


async def profile(request: Request) -> Response:
    """Answer with what the context holds."""
    ctx = signed_in(request)
    return JSONResponse(
        {
            "user": ctx.params["user"],
            "tenant": ctx.tenant,
            "roles": sorted(ctx.roles),
            "request_id": ctx.request_id,
        }
    )


async def report(request: Request) -> Response:
    """Stream a CSV file built in the module's text buffer."""
    rows = row_count(request)
    try:
        writer = csv.writer(CSV_BUFFER)
        writer.writerow(("id", "name", "amount"))
        writer.writerows(report_rows(rows))
        content = CSV_BUFFER.getvalue().encode()
    finally:
        CSV_BUFFER.seek(0)
        CSV_BUFFER.truncate()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), CHUNK_BYTES):
            yield content[start : start + CHUNK_BYTES]

    return StreamingResponse(chunks(), media_type="text/csv")


async def transform(request: Request) -> Response:
    """Upper-case a story in an idle scratch buffer and wipe what was used."""
    size = transform_size(request)
    scratch = IDLE_SCRATCH.pop() if IDLE_SCRATCH else bytearray(SCRATCH_BYTES)
    try:
        with memoryview(scratch)[:size] as text:
            await load_story(text)
            text[:] = text.tobytes().upper()
            return Response(f"{zlib.crc32(text):08x}", media_type="text/plain")
    finally:
        scratch[:size] = bytes(size)
        IDLE_SCRATCH.append(scratch)


async def feed(_: Request) -> Response:
    """Answer with JSON compressed by the module's compressor."""
    stream = COMPRESSOR.compressobj()
    content = b"".join([*map(stream.compress, FEED_PIECES), stream.flush()])
    return Response(content, media_type="application/json", headers={"content-encoding": "zstd"})


async def upload(request: Request) -> Response:
    """Answer with size and digest of the body, which is hashed as it arrives and never kept."""
    digest = hashlib.sha256()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_UPLOAD_BYTES:
            raise HTTPException(413, f"the body may have {MAX_UPLOAD_BYTES} bytes")
        digest.update(chunk)
    return JSONResponse({"size": size, "sha256": digest.hexdigest()})


app = Starlette(
    routes=[
        Route("/profile", profile),
        Route("/report", report),
        Route("/transform/{size:int}", transform),
        Route("/feed", feed),
        Route("/upload", upload, methods=["POST"]),
    ],
    middleware=[Middleware(ReusedContext)],
)
