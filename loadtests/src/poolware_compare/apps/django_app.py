"""The application in Django, a project in one file: `wsgi` and `asgi`."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.urls import URLPattern, path

from poolware_compare.apps import kits, sync_views, work
from poolware_compare.apps.answers import CHUNK_BYTES, MAX_UPLOAD_BYTES

kit: Any = kits.chosen()
pooled: dict[str, Any] = {
    "INSTALLED_APPS": ["django_poolware"],
    "MIDDLEWARE": ["django_poolware.middleware.PoolwareMiddleware", f"{__name__}.refusing"],
    "POOLWARE": {"CONTEXT": "poolware_compare.apps.kits.pooled.AppContext"},
}
settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATA_UPLOAD_MAX_MEMORY_SIZE=MAX_UPLOAD_BYTES,
    **(pooled if kit.POOLED else {"MIDDLEWARE": [f"{__name__}.contexts", f"{__name__}.refusing"]}),
)
Answer = Callable[[HttpRequest], HttpResponseBase]


def contexts(answer: Answer) -> Answer:
    """Middleware: give requests a context without poolware."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        ctx = kit.begin(work.request_id(request.headers.get("X-Request-ID")))
        request.ctx = ctx  # type: ignore[attr-defined]
        try:
            return answer(request)
        finally:
            kit.end(ctx)

    return middleware


class refusing:  # noqa: N801 - middleware, named like the other
    """Middleware: answer a `BadRequest`."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.answer(request)

    def process_exception(self, _: HttpRequest, error: Exception) -> HttpResponse | None:
        return JsonResponse({"error": str(error)}, status=400) if isinstance(error, work.BadRequest) else None


def context_of(request: HttpRequest) -> Any:
    return request.ctx  # type: ignore[attr-defined]


def signed_in(request: HttpRequest) -> Any:
    ctx = context_of(request)
    work.signed_in(ctx, request.GET.get("user", ""), request.headers.get("Authorization"))
    return ctx


def text(content: str) -> HttpResponse:
    return HttpResponse(content, content_type="text/plain")


def zstd(content: bytes) -> HttpResponse:
    return HttpResponse(content, content_type="application/json", headers={"Content-Encoding": "zstd"})


def csv(request: HttpRequest, chunks: Iterator[bytes]) -> StreamingHttpResponse:
    """Stream; Django does so as it goes only from what fits the server."""
    stream = chunked(chunks) if isinstance(request, ASGIRequest) else chunks
    return StreamingHttpResponse(stream, content_type="text/csv")


async def chunked(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def context(request: HttpRequest) -> HttpResponse:
    return JsonResponse(work.described(signed_in(request), request.GET.get("then", "")))


def scratch(request: HttpRequest, size: int, used: int) -> HttpResponse:
    return text(sync_views.scratch(kit, context_of(request), size, used, hold="hold" in request.GET))


def compressed(request: HttpRequest) -> HttpResponse:
    return zstd(sync_views.feed(kit, context_of(request)))


def sqlite(_: HttpRequest, number: int) -> HttpResponse:
    return JsonResponse(sync_views.sqlite(kit, number), safe=False)


def postgres(request: HttpRequest, number: int) -> HttpResponse:
    return JsonResponse(sync_views.postgres(kit, context_of(request), number), safe=False)


def upload(request: HttpRequest) -> HttpResponse:
    return JsonResponse(DIGESTS[kits.name(kit)](request))


def digest_plainly(request: HttpRequest) -> dict[str, Any]:
    return {"size": len(request.body), "sha256": hashlib.sha256(request.body).hexdigest()}


def digest_by_hand(request: HttpRequest) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    while chunk := request.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return {"size": size, "sha256": digest.hexdigest()}


def digest_pooled(request: HttpRequest) -> dict[str, Any]:
    import django_poolware  # noqa: PLC0415 - not in the arms without poolware

    body = django_poolware.read_body(request, limit=MAX_UPLOAD_BYTES)
    with body.getbuffer() as content:
        return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


DIGESTS = {"plain": digest_plainly, "by_hand": digest_by_hand, "pooled": digest_pooled}


def export(request: HttpRequest, rows: int) -> StreamingHttpResponse:
    return csv(request, sync_views.export(kit, context_of(request), rows))


def use(request: HttpRequest, kind: str) -> HttpResponse:
    return text(sync_views.use(kit, context_of(request), kind))


def browse(request: HttpRequest, page: int) -> HttpResponse:
    return zstd(sync_views.browse(kit, context_of(request), page))


def search(request: HttpRequest) -> HttpResponse:
    return JsonResponse(sync_views.search(kit, context_of(request), request.GET.get("q", "")), safe=False)


def cart(request: HttpRequest) -> HttpResponse:
    ctx = signed_in(request)
    ctx.params["cart"] = work.cart_of(request.body)
    return JsonResponse({"user": ctx.user, "cart": ctx.params["cart"]})


def checkout(request: HttpRequest) -> StreamingHttpResponse:
    return csv(request, sync_views.check_out(kit, context_of(request), work.cart_of(request.body)))


urlpatterns: list[URLPattern] = [
    path("context", context),
    path("scratch/<int:size>/<int:used>", scratch),
    path("compressed", compressed),
    path("sqlite/<int:number>", sqlite),
    path("postgres/<int:number>", postgres),
    path("upload", upload),
    path("export/<int:rows>", export),
    path("objects/<kind>", use),
    path("shop/<int:page>", browse),
    path("shop/search", search),
    path("shop/cart", cart),
    path("shop/checkout", checkout),
]
wsgi: WSGIHandler = get_wsgi_application()
asgi: ASGIHandler = get_asgi_application()
