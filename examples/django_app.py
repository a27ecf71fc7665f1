"""A Django project in one file, with poolware.

gunicorn examples.django_app:wsgi
uvicorn examples.django_app:app
"""

import csv
import hashlib
import io
import json
import time
import zlib
from collections.abc import AsyncIterator
from functools import partial

import zstandard
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIRequest
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

import django_poolware
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

settings.configure(
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    INSTALLED_APPS=["django_poolware"],
    MIDDLEWARE=["django_poolware.middleware.PoolwareMiddleware"],
    ROOT_URLCONF=__name__,
    POOLWARE={"CONTEXT": f"{__name__}.AppContext"},
)

compressors = ObjectPool(lambda: zstandard.ZstdCompressor(level=3), reset=None, name="compressors")


class AppContext(RequestContext):
    tenant: str = ""
    roles: set[str] = field(factory=set)
    email: str | None = field(default=None, sensitive=True)
    token: SecretField = secret()


def signed_in(request: HttpRequest) -> AppContext:
    """Note in the context who is asking."""
    ctx = AppContext.of(request)
    ctx.user = request.GET.get("user", "")
    ctx.tenant = "acme"
    ctx.roles.add("reader")
    ctx.params["user"] = ctx.user
    if authorization := request.headers.get("authorization"):
        ctx.token = authorization.removeprefix("Bearer ")
    return ctx


@require_GET
def profile(request: HttpRequest) -> HttpResponse:
    ctx = signed_in(request)
    return JsonResponse(
        {"user": ctx.params["user"], "tenant": ctx.tenant, "roles": sorted(ctx.roles), "request_id": ctx.request_id}
    )


@require_GET
def report(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    asked = request.GET.get("rows", "")
    if not asked.isdecimal() or not 1 <= (rows := int(asked)) <= MAX_ROWS:
        return HttpResponseBadRequest(f"rows takes 1 to {MAX_ROWS}")
    buffer = AppContext.of(request).buffer(rows * ROW_BYTES)
    with io.TextIOWrapper(buffer, encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(("id", "name", "amount"))
        writer.writerows((n, f"name {n}", f"{n * 7919 % 100_000 / 100:.2f}") for n in range(1, rows + 1))
    buffer.seek(0)
    # Django streams as it goes only what fits the server: an async iterator under ASGI, a sync one under WSGI.
    stream = async_chunks(buffer) if isinstance(request, ASGIRequest) else iter(partial(buffer.read, CHUNK_BYTES), b"")
    return StreamingHttpResponse(stream, content_type="text/csv")


async def async_chunks(buffer: Buffer) -> AsyncIterator[bytes]:
    while chunk := buffer.read(CHUNK_BYTES):
        yield chunk


def load_story(target: memoryview) -> None:
    """Fill `target`, as an object store does that answers after a millisecond."""
    time.sleep(0.001)
    target[:] = STORY[: len(target)]


@require_GET
def transform(request: HttpRequest, size: int) -> HttpResponse:
    if size > MAX_TRANSFORM_BYTES:
        return HttpResponseBadRequest(f"at most {MAX_TRANSFORM_BYTES} bytes are transformed")
    scratch = AppContext.of(request).buffer(SCRATCH_BYTES)
    with scratch.view(0, size) as text:  # only this part counts as used, and is wiped
        load_story(text)
        text[:] = text.tobytes().upper()
        return HttpResponse(f"{zlib.crc32(text):08x}", content_type="text/plain")


@require_GET
async def feed(request: HttpRequest) -> HttpResponse:
    stream = AppContext.of(request).borrow(compressors).compressobj()
    content = b"".join([*map(stream.compress, FEED_PIECES), stream.flush()])
    return HttpResponse(content, content_type="application/json", headers={"Content-Encoding": "zstd"})


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    body = django_poolware.read_body(request, limit=MAX_UPLOAD_BYTES)
    with body.getbuffer() as content:
        return JsonResponse({"size": len(content), "sha256": hashlib.sha256(content).hexdigest()})


urlpatterns = [path(view.__name__, view) for view in (profile, report, feed, upload)]
urlpatterns.append(path("transform/<int:size>", transform))
wsgi = get_wsgi_application()
app = get_asgi_application()
