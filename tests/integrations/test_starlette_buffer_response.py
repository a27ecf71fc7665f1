"""BufferResponse: a pooled buffer as a response, without a copy."""

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from starlette_poolware import BufferResponse, init_app

CONTENT = b"spam and egg " * 1000


def make_app(content=CONTENT, **options):
    async def view(request):
        buffer = request.ctx.buffer(len(content))
        buffer.write(content)
        return BufferResponse(buffer, **options)

    app = Starlette(routes=[Route("/", view)])
    init_app(app)
    return app


class Server:
    """Collects what an application sends, the body as the very objects that it got."""

    def __init__(self, *, takes=(bytes, memoryview)):
        self.takes, self.messages, self.bodies = takes, [], []

    async def serve(self, app, method="GET"):
        scope = {"type": "http", "method": method, "path": "/", "query_string": b"", "headers": []}
        await app(scope, None, self.send)

    async def send(self, message):
        self.messages.append(message["type"])
        if message["type"] == "http.response.body":
            if not isinstance(message["body"], self.takes):
                msg = "a bytes-like object is required"
                raise TypeError(msg)
            self.bodies.append(message["body"])


@pytest.mark.parametrize("content", [b"", b"x", CONTENT])
def test_it_sends_the_content_with_its_length(make_client, content):
    response = make_client(make_app(content)).get("/")
    assert response.content == content
    assert response.headers["content-length"] == str(len(content))
    assert response.headers["content-type"] == "application/octet-stream"


def test_status_headers_and_type_are_the_views(make_client):
    app = make_app(b"a,b\n", status_code=201, headers={"x-rows": "1"}, media_type="text/csv")
    response = make_client(app).get("/")
    assert response.status_code == 201
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["x-rows"] == "1"
    assert response.headers["content-length"] == "4"


@pytest.mark.parametrize("name", ["content-length", "Content-Length"])
def test_a_content_length_of_the_views_own_is_not_doubled(make_client, name):
    """H21: servers refuse a response with two lengths, and headers are compared without case."""
    response = make_client(make_app(b"spam", headers={name: "4"})).get("/")
    assert response.headers.get_list("content-length") == ["4"]


def test_head_announces_the_length_only(make_client):
    """H21."""
    response = make_client(make_app()).head("/")
    assert response.headers["content-length"] == str(len(CONTENT))
    assert response.content == b""


def test_the_position_in_the_buffer_does_not_matter(make_client):
    async def view(request):
        buffer = request.ctx.buffer(10)
        buffer.write(b"spam")
        buffer.seek(2)
        return BufferResponse(buffer)

    app = Starlette(routes=[Route("/", view)])
    init_app(app)
    assert make_client(app).get("/").content == b"spam"


def test_through_gzip(make_client):
    app = make_app()
    app.add_middleware(GZipMiddleware, minimum_size=100)
    response = make_client(app).get("/")
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["content-length"]) < len(CONTENT)
    assert response.content == CONTENT


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_through_gzip_and_base_http_middleware(make_client, accepted):
    """The view of the buffer waits in a queue after the view function has returned."""

    async def pass_on(request, call_next):
        return await call_next(request)

    app = make_app()
    app.add_middleware(GZipMiddleware)
    app.add_middleware(BaseHTTPMiddleware, dispatch=pass_on)
    client = make_client(app, headers={"accept-encoding": accepted})
    assert [client.get("/").content for _ in range(3)] == [CONTENT] * 3


def test_the_background_task_runs_after_it_with_the_buffer_still_there(make_client):
    seen = []

    async def view(request):
        buffer = request.ctx.buffer(10)
        buffer.write(b"spam")
        return BufferResponse(buffer, background=BackgroundTask(lambda: seen.append(buffer.getvalue())))

    app = Starlette(routes=[Route("/", view)])
    init_app(app)
    assert make_client(app).get("/").content == b"spam"
    assert seen == [b"spam"]


@pytest.mark.anyio
async def test_the_server_gets_a_read_only_view_and_no_copy():
    server = Server()
    await server.serve(make_app())
    assert server.messages == ["http.response.start", "http.response.body"]
    assert type(server.bodies[0]) is memoryview
    assert server.bodies[0].readonly
    assert server.bodies[0].format == "B"
    server.bodies.clear()


@pytest.mark.anyio
async def test_memory_that_the_transport_still_sends_is_not_used_again():
    """H07: asyncio and uvloop keep the view until the client has read it."""
    app, first, second = make_app(), Server(), Server()
    buffers = app.state.poolware.buffers
    await first.serve(app)
    assert buffers.get_stats().quarantined == 1
    await second.serve(app)
    assert bytes(first.bodies[0]) == bytes(second.bodies[0]) == CONTENT
    first.bodies.clear()
    second.bodies.clear()
    stats = buffers.get_stats()
    assert (stats.quarantined, stats.idle) == (0, 2)
    with buffers.lease(len(CONTENT)) as buffer:
        assert not any(buffer.view())


@pytest.mark.anyio
async def test_a_server_that_takes_nothing_but_bytes_gets_a_copy():
    """Daphne."""
    server = Server(takes=bytes)
    app = make_app()
    await server.serve(app)
    assert server.messages == ["http.response.start", "http.response.body", "http.response.body"]
    assert server.bodies == [CONTENT]
    assert app.state.poolware.buffers.get_stats().quarantined == 0


@pytest.mark.anyio
async def test_a_client_that_left_is_not_sent_a_second_body():
    """H17: only a TypeError means that bytes are wanted."""
    server = Server()

    async def send(message):
        await server.send(message)
        if message["type"] == "http.response.body":
            msg = "broken pipe"
            raise OSError(msg)

    with pytest.raises(OSError, match="broken pipe"):
        await make_app()({"type": "http", "method": "GET", "path": "/", "headers": []}, None, send)
    assert server.messages == ["http.response.start", "http.response.body"]
    server.bodies.clear()
