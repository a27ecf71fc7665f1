"""H19: on Starlette the context lives until the last chunk and the last background task."""

import anyio
import anyio.lowlevel
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

from poolware import RequestContext
from starlette_poolware import init_app

KEY = "poolware.ctx"


class AppContext(RequestContext):
    tenant: str = ""


def make_app(view, **options):
    app = Starlette(routes=[Route("/", view)], **options)
    init_app(app, context=AppContext)
    return app


async def async_chunks(request):
    for number in range(3):
        await anyio.lowlevel.checkpoint()
        yield f"{number}{request.ctx.tenant} "
        request.ctx.tenant = "acme"


def sync_chunks(request):
    for number in range(3):
        yield f"{number}{request.ctx.tenant} "
        request.ctx.tenant = "acme"


@pytest.mark.parametrize("chunks", [async_chunks, sync_chunks])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_stream_sees_the_context_until_its_last_chunk(make_client, chunks, wrapped):
    """Directly, and through a BaseHTTPMiddleware, which puts a queue in between."""

    async def view(request):
        return StreamingResponse(chunks(request))

    async def pass_on(request, call_next):
        return await call_next(request)

    app = make_app(view)
    if wrapped:
        app.add_middleware(BaseHTTPMiddleware, dispatch=pass_on)
    assert make_client(app).get("/").text == "0 1acme 2acme "
    assert app.state.poolware.pool.get_stats().released == 1


def test_a_stream_that_breaks_cleans_up_with_the_context(make_client):
    """H16: in the middle of the body, where no error page can be sent."""
    found = []

    async def chunks(request):
        try:
            yield "first"
            raise LookupError
        finally:
            found.append(request.ctx.tenant)

    async def view(request):
        request.ctx.tenant = "acme"
        return StreamingResponse(chunks(request))

    with pytest.raises((LookupError, ExceptionGroup)):  # a group of one with older versions of Starlette
        make_client(make_app(view)).get("/")
    assert found == ["acme"]


def test_background_tasks_have_the_context(make_client):
    """They run after the last byte, within the request; sync ones in a thread."""
    seen = []

    def sync_task(request):
        seen.append(request.ctx.tenant)

    async def async_task(ctx):
        await anyio.lowlevel.checkpoint()
        seen.append(ctx.tenant)

    async def view(request):
        request.ctx.tenant = "acme"
        tasks = BackgroundTasks([BackgroundTask(sync_task, request), BackgroundTask(async_task, request.ctx)])
        return PlainTextResponse("spam", background=tasks)

    assert make_client(make_app(view)).get("/").text == "spam"
    assert seen == ["acme", "acme"]


def test_a_failing_background_task_ends_the_context(make_client):
    """H16."""

    def task(request):
        raise LookupError(request.ctx.tenant)

    async def view(request):
        return PlainTextResponse("spam", background=BackgroundTask(task, request))

    app = make_app(view)
    with pytest.raises(LookupError):
        make_client(app).get("/")
    assert app.state.poolware.pool.get_stats().in_use == 0


def test_a_file(make_client, tmp_path):
    """H21: the server may be asked to send it by its path."""
    (tmp_path / "spam").write_bytes(b"spam" * 50_000)

    async def view(request):
        request.ctx.tenant = "acme"
        return FileResponse(tmp_path / "spam")

    assert make_client(make_app(view)).get("/").content == b"spam" * 50_000


SCOPE = {"http_version": "1.1", "method": "GET", "path": "/", "query_string": b"", "headers": []}


@pytest.mark.anyio
async def test_a_client_that_leaves_mid_stream():
    """H17: servers of ASGI 2.3 say so through receive(); the generator cleans up with the context."""
    found, left = [], anyio.Event()

    async def chunks(request):
        try:
            while True:
                yield b"spam"
                await anyio.sleep(0.001)
        finally:
            found.append(request.ctx.tenant)

    async def view(request):
        request.ctx.tenant = "acme"
        return StreamingResponse(chunks(request))

    async def receive():
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message["type"] == "http.response.body":
            left.set()

    scope = {"type": "http", "asgi": {"spec_version": "2.3"}, **SCOPE}
    app = make_app(view)
    with anyio.fail_after(5):
        await app(scope, receive, send)
    assert found == ["acme"]
    assert KEY not in scope


@pytest.mark.anyio
async def test_a_client_that_has_left_when_a_chunk_is_sent():
    """H17: servers of ASGI 2.4 let send() fail."""

    class Endless:
        def __aiter__(self):
            return self

        async def __anext__(self):
            return b"spam"

    async def view(request):
        request.ctx.buffer(100)
        return StreamingResponse(Endless())

    async def send(message):
        if message["type"] == "http.response.body":
            msg = "broken pipe"
            raise OSError(msg)

    scope = {"type": "http", "asgi": {"spec_version": "2.4"}, **SCOPE}
    app = make_app(view)
    with pytest.raises((ClientDisconnect, ExceptionGroup)):  # a group with older versions of Starlette
        await app(scope, None, send)
    assert KEY not in scope
    assert app.state.poolware.buffers.get_stats().in_use == 0
