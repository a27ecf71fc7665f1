"""django_poolware.read_body: a pooled request body with a limit."""

import io

import pytest
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import path

from django_poolware import lifecycle, read_body
from poolware import BadOption, BodyTooLarge, ContextMissing

POOLWARE = "django_poolware.middleware.PoolwareMiddleware"
LIMIT = 100


def echo(request):
    return HttpResponse(read_body(request, limit=LIMIT).getvalue())


async def async_echo(request):
    return HttpResponse(read_body(request, limit=LIMIT).getvalue())


def catching(request):
    try:
        read_body(request, limit=LIMIT)
    except BodyTooLarge as error:
        return HttpResponse(f"caught {error.status}")


def wrong_limit(request):
    read_body(request, limit="1 MiB")


urlpatterns = [
    path("sync", echo),
    path("async", async_echo),
    path("catching", catching),
    path("wrong-limit", wrong_limit),
]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def _project():
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[POOLWARE], POOLWARE={}):
        yield


def post(client, path, content, length=None):
    """The test client's own input refuses to end early, which is what some of these bodies do."""
    length = str(len(content)) if length is None else length
    keys = {"CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(content)}
    return client.post(path, content, "application/octet-stream", **keys)


@pytest.mark.parametrize("view", ["/sync", "/async"])
@pytest.mark.parametrize("content", [b"", b"spam", b"x" * LIMIT])
def test_a_body_up_to_the_limit(view, content):
    assert post(Client(), view, content).content == content
    stats = lifecycle().buffers.get_stats()
    assert (stats.acquired, stats.in_use) == (1, 0)


@pytest.mark.anyio
@pytest.mark.parametrize("view", ["/sync", "/async"])
@pytest.mark.parametrize(("size", "status"), [(0, 200), (LIMIT, 200), (LIMIT + 1, 413)])
async def test_a_body_under_asgi(view, size, status):
    """H41: Django has received all of it by then; the limit still says what is taken."""
    response = await AsyncClient().post(view, b"x" * size, "application/octet-stream")
    assert response.status_code == status
    assert lifecycle().buffers.get_stats().in_use == 0


@pytest.mark.parametrize("view", ["/sync", "/async"])
@pytest.mark.parametrize(
    ("length", "status"), [("101", 413), ("9" * 5000, 413), ("50", 400), ("-4", 400), ("four", 400)]
)
def test_a_refused_body_is_answered_with_its_status(view, length, status):
    """H41, H42: over the limit, longer than the body, negative, no number."""
    response = post(Client(), view, b"spam", length)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.endswith(b"\n")


def test_the_answer_says_why():
    response = post(Client(), "/sync", b"x" * 101)
    assert response.content == b"the request's body has 101 bytes; at most 100 are taken\n"


def test_a_view_can_catch_it():
    assert post(Client(), "/catching", b"x" * 101).content == b"caught 413"


def test_a_wrong_limit_is_the_programmers_error():
    """H40."""
    with pytest.raises(BadOption, match=r"^limit='1 MiB'"):
        post(Client(), "/wrong-limit", b"spam")


def test_without_a_length_nothing_is_read():
    """H41: PEP 3333."""
    environ = {"wsgi.input": io.BytesIO(b"the next request"), "CONTENT_LENGTH": ""}
    assert Client().post("/sync", **environ).content == b""


def test_without_the_middleware_it_says_what_is_missing():
    with pytest.raises(ContextMissing, match="POST /orders carries no context"):
        read_body(RequestFactory().post("/orders", {"a": "b"}), limit=LIMIT)
