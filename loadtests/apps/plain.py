"""What people write first: everything is built fresh for each request."""

import csv
import hashlib
import io
import time
import zlib
from collections.abc import AsyncIterator
from types import SimpleNamespace

import zstandard
from starlette.applications import Starlette
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
from loadtests.apps.requests import body_up_to, load_story, request_id, row_count, transform_size


class FreshContext:
    """ASGI middleware that attaches a new context to each request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["ctx"] = SimpleNamespace(
                request_id=request_id(scope),
                started_at=time.time(),
                user=None,
                params={},
                response=None,
                tenant="",
                roles=set(),
                token=None,
            )
        await self.app(scope, receive, send)


def signed_in(request: Request) -> SimpleNamespace:
    """Note in the context who is asking."""
    ctx: SimpleNamespace = request.scope["ctx"]
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
    """Stream a CSV file that is built in memory first."""
    rows = row_count(request)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(("id", "name", "amount"))
    writer.writerows(report_rows(rows))
    content = buffer.getvalue().encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), CHUNK_BYTES):
            yield content[start : start + CHUNK_BYTES]

    return StreamingResponse(chunks(), media_type="text/csv")


async def transform(request: Request) -> Response:
    """Upper-case a story in a new scratch buffer of the largest size ever needed."""
    size = transform_size(request)
    scratch = bytearray(SCRATCH_BYTES)
    with memoryview(scratch)[:size] as text:
        await load_story(text)
        text[:] = text.tobytes().upper()
        return Response(f"{zlib.crc32(text):08x}", media_type="text/plain")


async def feed(_: Request) -> Response:
    """Answer with JSON compressed by a new compressor."""
    stream = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj()
    content = b"".join([*map(stream.compress, FEED_PIECES), stream.flush()])
    return Response(content, media_type="application/json", headers={"content-encoding": "zstd"})


async def upload(request: Request) -> Response:
    """Answer with size and digest of the body."""
    body = await body_up_to(request, MAX_UPLOAD_BYTES)
    return JSONResponse({"size": len(body), "sha256": hashlib.sha256(body).hexdigest()})


app = Starlette(
    routes=[
        Route("/profile", profile),
        Route("/report", report),
        Route("/transform/{size:int}", transform),
        Route("/feed", feed),
        Route("/upload", upload, methods=["POST"]),
    ],
    middleware=[Middleware(FreshContext)],
)
