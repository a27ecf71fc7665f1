"""A Starlette application with poolware.

uvicorn examples.starlette_app:app
"""

import asyncio
import csv
import hashlib
import io
import json
import zlib
from collections.abc import AsyncIterator

import zstandard
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

import starlette_poolware
from poolware import Buffer, ObjectPool, RequestContext, SecretField, field, secret

MAX_ROWS = 5000
ROW_BYTES = 32
CHUNK_BYTES = 64 << 10
MAX_TRANSFORM_BYTES = 1 << 20
SCRATCH_BYTES = 4 << 20
MAX_UPLOAD_BYTES = 8 << 20
STORY = b"the quick brown fox jumps over the lazy dog. " * 24_000
ITEMS = [  # as a database with a JSON column would hand them out
    json.dumps({"id": n, "title": f"Item number {n}", "author": f"user{n % 7}", "score": n * 37 % 101}).encode()
    for n in range(1, 31)
]
FEED_PIECES = [b'{"items":[', *(item + b"," for item in ITEMS[:-1]), ITEMS[-1], b"]}"]

compressors = ObjectPool(lambda: zstandard.ZstdCompressor(level=3), reset=None, name="compressors")


class AppContext(RequestContext):
    tenant: str = ""
    roles: set[str] = field(factory=set)
    email: str | None = field(default=None, sensitive=True)
    token: SecretField = secret()


def signed_in(request: Request) -> AppContext:
    """Note in the context who is asking."""
    ctx = AppContext.of(request)
    ctx.user = request.query_params.get("user", "")
    ctx.tenant = "acme"
    ctx.roles.add("reader")
    ctx.params["user"] = ctx.user
    if authorization := request.headers.get("authorization"):
        ctx.token = authorization.removeprefix("Bearer ")
    return ctx


async def profile(request: Request) -> Response:
    ctx = signed_in(request)
    return JSONResponse(
        {"user": ctx.params["user"], "tenant": ctx.tenant, "roles": sorted(ctx.roles), "request_id": ctx.request_id}
    )


async def report(request: Request) -> Response:
    asked = request.query_params.get("rows", "")
    if not asked.isdecimal() or not 1 <= (rows := int(asked)) <= MAX_ROWS:
        raise HTTPException(400, f"rows takes 1 to {MAX_ROWS}")
    buffer = AppContext.of(request).buffer(rows * ROW_BYTES)
    with io.TextIOWrapper(buffer, encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(("id", "name", "amount"))
        writer.writerows((n, f"name {n}", f"{n * 7919 % 100_000 / 100:.2f}") for n in range(1, rows + 1))
    buffer.seek(0)
    return StreamingResponse(chunks(buffer), media_type="text/csv")


async def chunks(buffer: Buffer) -> AsyncIterator[bytes]:
    while chunk := buffer.read(CHUNK_BYTES):
        yield chunk


async def load_story(target: memoryview) -> None:
    """Fill `target`, as an object store does that answers after a millisecond."""
    await asyncio.sleep(0.001)
    target[:] = STORY[: len(target)]


async def transform(request: Request) -> Response:
    size: int = request.path_params["size"]
    if size > MAX_TRANSFORM_BYTES:
        raise HTTPException(400, f"at most {MAX_TRANSFORM_BYTES} bytes are transformed")
    scratch = AppContext.of(request).buffer(SCRATCH_BYTES)
    with scratch.view(0, size) as text:  # only this part counts as used, and is wiped
        await load_story(text)
        text[:] = text.tobytes().upper()
        return Response(f"{zlib.crc32(text):08x}", media_type="text/plain")


async def feed(request: Request) -> Response:
    stream = AppContext.of(request).borrow(compressors).compressobj()
    content = b"".join([*map(stream.compress, FEED_PIECES), stream.flush()])
    return Response(content, media_type="application/json", headers={"content-encoding": "zstd"})


async def upload(request: Request) -> Response:
    body = await starlette_poolware.read_body(request, limit=MAX_UPLOAD_BYTES)
    with body.getbuffer() as content:
        return JSONResponse({"size": len(content), "sha256": hashlib.sha256(content).hexdigest()})


app = Starlette(
    routes=[
        Route("/profile", profile),
        Route("/report", report),
        Route("/transform/{size:int}", transform),
        Route("/feed", feed),
        Route("/upload", upload, methods=["POST"]),
    ]
)
starlette_poolware.init_app(app, context=AppContext)
