"""poolware's middleware among others on Django: order, adaption, caches."""

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path
from django.utils.decorators import async_only_middleware, sync_only_middleware

from django_poolware import lifecycle
from poolware import RequestContext

POOLWARE = "django_poolware.middleware.PoolwareMiddleware"
UPDATE_CACHE = "django.middleware.cache.UpdateCacheMiddleware"
FETCH_FROM_CACHE = "django.middleware.cache.FetchFromCacheMiddleware"
CONDITIONAL_GET = "django.middleware.http.ConditionalGetMiddleware"


class AppContext(RequestContext):
    tenant: str = ""


def sync_view(request):
    request.ctx.tenant = "acme"
    return HttpResponse(AppContext.of(request).tenant)


async def async_view(request):
    return sync_view(request)


urlpatterns = [path("sync", sync_view), path("async", async_view)]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def _project():
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[POOLWARE], POOLWARE={"CONTEXT": AppContext}):
        yield
    cache.clear()


def _stamp(request, response):
    response.headers["X-Tenant"] = request.ctx.tenant if hasattr(request, "ctx") else "no context"
    return response


@sync_only_middleware
def sync_stamp(get_response):
    return lambda request: _stamp(request, get_response(request))


@async_only_middleware
def async_stamp(get_response):
    async def middleware(request):
        return _stamp(request, await get_response(request))

    return middleware


@pytest.mark.parametrize("stamp", ["sync_stamp", "async_stamp"])
@pytest.mark.parametrize("view", ["/sync", "/async"])
@pytest.mark.parametrize("outermost", [True, False])
def test_other_middlewares_under_wsgi(stamp, view, outermost):
    """Django adapts sync and async to each other; those after poolware's have the context."""
    stamp = f"{__name__}.{stamp}"
    with override_settings(MIDDLEWARE=[POOLWARE, stamp] if outermost else [stamp, POOLWARE]):
        response = Client().get(view)
    assert response.content == b"acme"
    # one further out sees it still, until the response is closed
    assert response.headers["X-Tenant"] == "acme"


@pytest.mark.anyio
@pytest.mark.parametrize("stamp", ["sync_stamp", "async_stamp"])
@pytest.mark.parametrize("view", ["/sync", "/async"])
@pytest.mark.parametrize("outermost", [True, False])
async def test_other_middlewares_under_asgi(stamp, view, outermost):
    stamp = f"{__name__}.{stamp}"
    with override_settings(MIDDLEWARE=[POOLWARE, stamp] if outermost else [stamp, POOLWARE]):
        response = await AsyncClient().get(view)
    assert (response.content, response.headers["X-Tenant"]) == (b"acme", "acme")


def test_listed_twice_the_inner_one_steps_aside():
    """H23."""
    with override_settings(MIDDLEWARE=[POOLWARE, POOLWARE]):
        assert Client().get("/sync").content == b"acme"
    assert lifecycle().pool.get_stats().released == 1


def test_a_middleware_further_out_may_put_another_response_in_place():
    """H20: 304 instead of the response, which nobody closes then: it ends when it is collected."""
    with override_settings(MIDDLEWARE=[CONDITIONAL_GET, POOLWARE]):
        client = Client()
        etag = client.get("/sync").headers["ETag"]
        assert client.get("/sync", headers={"If-None-Match": etag}).status_code == 304
    stats = lifecycle().pool.get_stats()
    assert (stats.released, stats.in_use) == (2, 0)


def test_a_middleware_further_out_that_raises_leaves_nothing_behind():
    """H20: the response is dropped on the way out."""

    with override_settings(MIDDLEWARE=[f"{__name__}.failing", POOLWARE]):
        response = Client(raise_request_exception=False).get("/sync")
    assert response.status_code == 500
    del response
    assert lifecycle().pool.get_stats().released == 1


def failing(get_response):
    def middleware(request):
        get_response(request)
        raise LookupError

    return middleware


@pytest.mark.parametrize(
    "order",
    [
        [UPDATE_CACHE, POOLWARE, FETCH_FROM_CACHE],
        [UPDATE_CACHE, FETCH_FROM_CACHE, POOLWARE],
        [POOLWARE, UPDATE_CACHE, FETCH_FROM_CACHE],
    ],
    ids=["around", "outside", "inside"],
)
def test_a_cache_pickles_the_response(order):
    """A response with the end of its request among its closers is stored and replayed, more than once."""
    with override_settings(MIDDLEWARE=order):
        responses = [Client().get("/sync") for _ in range(3)]
    assert [response.content for response in responses] == [b"acme"] * 3
    assert len({response.headers["Expires"] for response in responses}) == 1, "the cache was not used"
    stats = lifecycle().pool.get_stats()
    assert stats.in_use == 0
    assert stats.released == (1 if order[2] is POOLWARE else 3)
