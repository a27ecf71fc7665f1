"""A FastAPI application with poolware.

uvicorn examples.fastapi_app:app
"""

import asyncio
import csv
import hashlib
import io
import json
import zlib
from collections.abc import AsyncIterator
from typing import Annotated

import zstandard
from fastapi import Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.exception_handlers import request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

import starlette_poolware
from poolware import Buffer, ObjectPool, RequestContext, SecretField, field, secret
from starlette_poolware.fastapi import from_request

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


class Profile(BaseModel):
    user: str
    tenant: str
    roles: list[str]
    request_id: str


class Uploaded(BaseModel):
    size: int
    sha256: str


app = FastAPI()
starlette_poolware.init_app(app, context=AppContext)

Context = Annotated[AppContext, from_request(AppContext)]


@app.exception_handler(RequestValidationError)
async def bad_request(request: Request, error: RequestValidationError) -> Response:
    response = await request_validation_exception_handler(request, error)
    response.status_code = 400
    return response


async def signed_in(ctx: Context, user: str = "", authorization: Annotated[str, Header()] = "") -> AppContext:
    """Note in the context who is asking."""
    ctx.user = user
    ctx.tenant = "acme"
    ctx.roles.add("reader")
    ctx.params["user"] = user
    if authorization:
        ctx.token = authorization.removeprefix("Bearer ")
    return ctx


@app.get("/profile")
async def profile(ctx: Annotated[AppContext, Depends(signed_in)]) -> Profile:
    return Profile(user=ctx.params["user"], tenant=ctx.tenant, roles=sorted(ctx.roles), request_id=ctx.request_id)


@app.get("/report")
async def report(ctx: Context, rows: Annotated[int, Query(ge=1, le=MAX_ROWS)]) -> StreamingResponse:
    buffer = ctx.buffer(rows * ROW_BYTES)
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


@app.get("/transform/{size}")
async def transform(ctx: Context, size: Annotated[int, Path(ge=0, le=MAX_TRANSFORM_BYTES)]) -> Response:
    scratch = ctx.buffer(SCRATCH_BYTES)
    with scratch.view(0, size) as text:  # only this part counts as used, and is wiped
        await load_story(text)
        text[:] = text.tobytes().upper()
        return Response(f"{zlib.crc32(text):08x}", media_type="text/plain")


@app.get("/feed")
async def feed(ctx: Context) -> Response:
    stream = ctx.borrow(compressors).compressobj()
    content = b"".join([*map(stream.compress, FEED_PIECES), stream.flush()])
    return Response(content, media_type="application/json", headers={"content-encoding": "zstd"})


@app.post("/upload")
async def upload(request: Request) -> Uploaded:
    body = await starlette_poolware.read_body(request, limit=MAX_UPLOAD_BYTES)
    with body.getbuffer() as content:
        return Uploaded(size=len(content), sha256=hashlib.sha256(content).hexdigest())
