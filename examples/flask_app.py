"""A Flask application with poolware.

gunicorn examples.flask_app:app
"""

import csv
import hashlib
import io
import json
import time
import zlib
from functools import partial
from typing import Any

import zstandard
from flask import Flask, Response, abort, request

import flask_poolware
from poolware import ObjectPool, RequestContext, SecretField, field, secret

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


app = Flask(__name__)
flask_poolware.Poolware(app, context=AppContext)


def signed_in() -> AppContext:
    """Note in the context who is asking."""
    ctx = AppContext.of(request)
    ctx.user = request.args.get("user", "")
    ctx.tenant = "acme"
    ctx.roles.add("reader")
    ctx.params["user"] = ctx.user
    if authorization := request.headers.get("Authorization"):
        ctx.token = authorization.removeprefix("Bearer ")
    return ctx


@app.get("/profile")
def profile() -> dict[str, Any]:
    ctx = signed_in()
    return {"user": ctx.params["user"], "tenant": ctx.tenant, "roles": sorted(ctx.roles), "request_id": ctx.request_id}


@app.get("/report")
def report() -> Response:
    rows = request.args.get("rows", 0, type=int)
    if not 1 <= rows <= MAX_ROWS:
        abort(400, f"rows takes 1 to {MAX_ROWS}")
    buffer = AppContext.of(request).buffer(rows * ROW_BYTES)
    with io.TextIOWrapper(buffer, encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(("id", "name", "amount"))
        writer.writerows((n, f"name {n}", f"{n * 7919 % 100_000 / 100:.2f}") for n in range(1, rows + 1))
    buffer.seek(0)
    return Response(iter(partial(buffer.read, CHUNK_BYTES), b""), mimetype="text/csv")


def load_story(target: memoryview) -> None:
    """Fill `target`, as an object store does that answers after a millisecond."""
    time.sleep(0.001)
    target[:] = STORY[: len(target)]


@app.get("/transform/<int:size>")
def transform(size: int) -> Response:
    if size > MAX_TRANSFORM_BYTES:
        abort(400, f"at most {MAX_TRANSFORM_BYTES} bytes are transformed")
    scratch = AppContext.of(request).buffer(SCRATCH_BYTES)
    with scratch.view(0, size) as text:  # only this part counts as used, and is wiped
        load_story(text)
        text[:] = text.tobytes().upper()
        return Response(f"{zlib.crc32(text):08x}", mimetype="text/plain")


@app.get("/feed")
def feed() -> Response:
    stream = AppContext.of(request).borrow(compressors).compressobj()
    content = b"".join([*map(stream.compress, FEED_PIECES), stream.flush()])
    return Response(content, mimetype="application/json", headers={"Content-Encoding": "zstd"})


@app.post("/upload")
def upload() -> dict[str, Any]:
    body = flask_poolware.read_body(request, limit=MAX_UPLOAD_BYTES)
    with body.getbuffer() as content:
        return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
