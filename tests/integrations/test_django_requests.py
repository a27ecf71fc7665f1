"""request.ctx on Django: views, middlewares, exceptions and responses, sync and async."""

import io

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import AsyncClient, AsyncRequestFactory, Client, RequestFactory, override_settings
from django.urls import path

from django_poolware import lifecycle
from poolware import ContextMissing, ContextReleased, RequestContext, WrongContext

POOLWARE = "django_poolware.middleware.PoolwareMiddleware"


class AppContext(RequestContext):
    tenant: str = ""


class OtherContext(RequestContext):
    pass


def sync_view(request):
    before, request.ctx.tenant = request.ctx.tenant, "acme"
    return HttpResponse(before + AppContext.of(request).tenant)


async def async_view(request):
    before, request.ctx.tenant = request.ctx.tenant, "acme"
    return HttpResponse(before + AppContext.of(request).tenant)


def broken(request):
    ctx = request.ctx
    ctx.tenant = "acme"
    raise LookupError(ctx.tenant)


async def async_broken(request):
    ctx = request.ctx
    ctx.tenant = "acme"
    raise LookupError(ctx.tenant)


def missing(request):
    request.ctx.tenant = "acme"
    raise Http404


def denied(request):
    request.ctx.tenant = "acme"
    raise PermissionDenied


def template(request):
    request.ctx.tenant = "acme"
    return TemplateResponse(request, engines["django"].from_string("{{ request.ctx.tenant }}"))


def wrong_class(request):
    OtherContext.of(request)


def streaming(request):
    def chunks():
        for number in range(3):
            yield f"{number}{request.ctx.tenant} "
            request.ctx.tenant = "acme"

    return StreamingHttpResponse(chunks())


async def async_streaming(request):
    async def chunks():
        for number in range(3):
            yield f"{number}{request.ctx.tenant} "
            request.ctx.tenant = "acme"

    return StreamingHttpResponse(chunks())


def file(request):
    request.ctx.tenant = "acme"
    return FileResponse(io.BytesIO(b"spam" * 50_000))


def not_modified(request):
    request.ctx.tenant = "acme"
    return HttpResponseNotModified()


def error_page(request, *_args, **_kwargs):
    return HttpResponse(f"sorry, {request.ctx.tenant}", status=500)


urlpatterns = [
    path("sync", sync_view),
    path("async", async_view),
    path("broken", broken),
    path("async-broken", async_broken),
    path("missing", missing),
    path("denied", denied),
    path("template", template),
    path("wrong-class", wrong_class),
    path("streaming", streaming),
    path("async-streaming", async_streaming),
    path("file", file),
    path("not-modified", not_modified),
]
handler403 = handler404 = handler500 = error_page


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def _project():
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[POOLWARE], POOLWARE={"CONTEXT": AppContext}):
        yield


async def content_of(response):
    if not response.streaming:
        return response.content
    if response.is_async:
        return b"".join([chunk async for chunk in response])
    return b"".join(response)


@pytest.mark.parametrize("view", ["/sync", "/async"])
def test_a_view_under_wsgi(view):
    client = Client()
    assert [client.get(view).content for _ in range(3)] == [b"acme"] * 3
    stats = lifecycle().pool.get_stats()
    assert (stats.released, stats.created) == (3, 1)


@pytest.mark.anyio
@pytest.mark.parametrize("view", ["/sync", "/async"])
async def test_a_view_under_asgi(view):
    client = AsyncClient()
    assert [(await client.get(view)).content for _ in range(3)] == [b"acme"] * 3
    stats = lifecycle().pool.get_stats()
    assert (stats.released, stats.in_use) == (3, 0)


@pytest.mark.parametrize("view", ["/broken", "/async-broken", "/missing", "/denied"])
def test_error_pages_have_the_context(view):
    """H16: Django makes a response of every exception, inside of the middleware."""
    client = Client(raise_request_exception=False)
    assert [client.get(view).content for _ in range(2)] == [b"sorry, acme"] * 2
    assert lifecycle().pool.get_stats().in_use == 0


@pytest.mark.anyio
@pytest.mark.parametrize("view", ["/broken", "/async-broken", "/missing"])
async def test_error_pages_have_the_context_under_asgi(view):
    """H16."""
    client = AsyncClient(raise_request_exception=False)
    assert (await client.get(view)).content == b"sorry, acme"
    assert lifecycle().pool.get_stats().in_use == 0


def test_an_exception_that_the_test_client_raises_holds_a_released_context():
    """H16, H06: one holder, the traceback."""
    with pytest.raises(LookupError, match="acme") as raised:
        Client().get("/broken")
    with pytest.raises(ContextReleased, match="GET /broken"):
        _ = raised.traceback[-1].frame.f_locals["ctx"].tenant


def test_the_technical_error_page_does_not_keep_the_context():
    """H16: the page walks through all frames' locals."""
    with override_settings(DEBUG=True):
        response = Client(raise_request_exception=False).get("/broken")
    assert b"LookupError" in response.content
    assert lifecycle().pool.get_stats().in_use == 0


def test_a_template_response_is_rendered_with_the_context():
    """It is rendered after the view has returned."""
    assert Client().get("/template").content == b"acme"


def test_the_typed_accessor_names_both_classes_when_it_is_the_wrong_one():
    with pytest.raises(WrongContext, match="GET /wrong-class carries AppContext, not OtherContext"):
        Client().get("/wrong-class")


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_stream_sees_the_context_until_its_last_chunk(method):
    """H19."""
    response = getattr(Client(), method)("/streaming")
    assert b"".join(response) == (b"0 1acme 2acme " if method == "get" else b"")
    response.close()
    assert lifecycle().pool.get_stats().in_use == 0


@pytest.mark.anyio
@pytest.mark.parametrize("view", ["/async-streaming", "/file"])
async def test_streams_under_asgi(view):
    """H19."""
    response = await AsyncClient().get(view)
    assert await content_of(response) == {"/file": b"spam" * 50_000}.get(view, b"0 1acme 2acme ")
    response.close()
    assert lifecycle().pool.get_stats().in_use == 0


def test_a_file_under_wsgi():
    """H21: FileResponse is given to the server's wsgi.file_wrapper."""
    response = Client().get("/file")
    assert b"".join(response) == b"spam" * 50_000
    response.close()
    assert lifecycle().pool.get_stats().in_use == 0


def test_not_modified():
    """H21."""
    assert Client().get("/not-modified").status_code == 304
    assert lifecycle().pool.get_stats().in_use == 0


def test_a_request_of_the_factory_has_no_context():
    """It goes around the middlewares; the message covers it."""
    Client().get("/sync")
    request = RequestFactory().get("/orders")
    with pytest.raises(ContextMissing, match=r"GET /orders carries no context"):
        _ = request.ctx


@pytest.mark.parametrize(("factory", "where"), [(RequestFactory, "META"), (AsyncRequestFactory, "scope")])
def test_a_request_of_the_factory_is_given_one_by_hand(factory, where, monkeypatch):
    """Before any middleware was made."""
    monkeypatch.delattr(HttpRequest, "ctx", raising=False)
    apps.get_app_config("django_poolware").ready()
    request = factory().get("/orders")
    carrier = getattr(request, where)
    lifecycle().begin(carrier).request_id = "one"
    assert request.ctx.request_id == "one"
    lifecycle().finish(carrier)
