"""starlette_poolware.read_body: a pooled request body with a limit."""

import pytest
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from poolware import BadOption, BodyTooLarge
from poolware.web.body import read_body_async
from starlette_poolware import init_app, read_body

LIMIT = 100


async def echo(request):
    body = await read_body(request, limit=LIMIT)
    return Response(body.getvalue())


def make_app(view=echo, **options):
    app = Starlette(routes=[Route("/", view, methods=["POST"])], **options)
    init_app(app)
    return app


def in_chunks(size):
    yield from (b"x" * 10 for _ in range(size // 10))


@pytest.mark.parametrize("content", [b"", b"spam", b"x" * LIMIT])
def test_a_body_up_to_the_limit(make_client, content):
    app = make_app()
    assert make_client(app).post("/", content=content).content == content
    stats = app.state.poolware.buffers.get_stats()
    assert (stats.acquired, stats.in_use) == (1, 0)


def test_a_chunked_body(make_client):
    assert make_client(make_app()).post("/", content=in_chunks(LIMIT)).content == b"x" * LIMIT


@pytest.mark.parametrize("make_content", [bytes, in_chunks], ids=["announced", "chunked"])
def test_a_body_over_the_limit_is_answered_with_413(make_client, make_content):
    """H41."""
    response = make_client(make_app()).post("/", content=make_content(LIMIT + 10))
    assert response.status_code == 413
    assert "100" in response.text


@pytest.mark.parametrize("length", ["101", "9" * 5000])
def test_an_announcement_over_the_limit_is_answered_with_413(make_client, length):
    """H41, H42."""
    response = make_client(make_app()).post("/", content=b"spam", headers={"content-length": length})
    assert response.status_code == 413


@pytest.mark.parametrize("length", ["50", "-4", "four"])
def test_a_wrong_content_length_is_answered_with_400(make_client, length):
    """H41: longer than the body, negative, no number."""
    response = make_client(make_app()).post("/", content=b"spam", headers={"content-length": length})
    assert response.status_code == 400


def test_the_applications_own_error_page_is_used(make_client):
    """H16: with the context, and the reason."""

    async def page(request, error):
        assert request.ctx.request_id == "r-1"
        assert isinstance(error.__cause__, BodyTooLarge)
        return PlainTextResponse(f"my page: {error.detail}", error.status_code)

    app = make_app(exception_handlers={413: page})
    response = make_client(app).post("/", content=b"x" * 101, headers={"x-request-id": "r-1"})
    assert response.status_code == 413
    assert response.text == "my page: the request's body has 101 bytes; at most 100 are taken"


def test_a_view_can_catch_it(make_client):
    async def view(request):
        with pytest.raises(BodyTooLarge):
            await read_body(request, limit=1)
        return PlainTextResponse("caught")

    assert make_client(make_app(view)).post("/", content=b"spam").text == "caught"


def test_a_wrong_limit_is_the_programmers_error(make_client):
    """H40."""

    async def view(request):
        await read_body(request, limit="1 MiB")

    with pytest.raises(BadOption, match=r"^limit='1 MiB'"):
        make_client(make_app(view)).post("/", content=b"spam")


def test_inside_of_a_base_http_middleware(make_client):
    async def pass_on(request, call_next):
        return await call_next(request)

    app = make_app()
    app.add_middleware(BaseHTTPMiddleware, dispatch=pass_on)
    client = make_client(app)
    assert client.post("/", content=b"spam").content == b"spam"
    assert client.post("/", content=b"x" * 101).status_code == 413


@pytest.mark.anyio
async def test_a_client_that_leaves_mid_upload_gives_the_buffer_back():
    """H17."""
    app = make_app()
    messages = [{"type": "http.request", "body": b"spam", "more_body": True}, {"type": "http.disconnect"}]
    statuses = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        statuses.append(message.get("status"))

    headers = [(b"content-length", b"50")]
    await app({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send)
    assert statuses[0] == 400
    assert app.state.poolware.buffers.get_stats().released == 1


@pytest.mark.parametrize(("handled", "text"), [(False, "the request's body"), (True, "my page")])
def test_the_applications_own_handler_goes_first(make_client, handled, text):
    """H41: one for poolware's error is more specific than the page for its status."""

    async def view(request):
        await read_body_async(request.scope, request.receive, limit=1)

    async def page(_request, error):
        return PlainTextResponse("my page", error.status)

    app = make_app(view, exception_handlers={BodyTooLarge: page} if handled else {})
    response = make_client(app, raise_server_exceptions=False).post("/", content=b"spam")
    assert response.status_code == 413
    assert response.text.startswith(text)
