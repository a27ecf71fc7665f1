"""How a request ends on Django under ASGI: clients that leave, servers that stop, responses that nobody closes."""

import asyncio
import gc
import threading
import time

import django
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from django_poolware import lifecycle
from poolware import ContextReleased, RequestContext

KEY = "poolware.ctx"
POOLWARE = "django_poolware.middleware.PoolwareMiddleware"


class AppContext(RequestContext):
    tenant: str = ""


# Django leaves the spooled request body to the collector where its handler is cancelled or fails.
body_left_open = pytest.mark.filterwarnings("ignore:Exception ignored in. <function SpooledTemporaryFile")


class Conversation:
    """An ASGI server's side: the client leaves when `left` is set, or sending fails."""

    def __init__(self, view, *, send_fails=False):
        self.scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
        self.left, self.arrived = asyncio.Event(), asyncio.Event()
        self.found, self.received, self.send_fails = [], 0, send_fails
        self.scope["test.conversation"] = self
        self.scope["test.view"] = view

    async def run(self):
        with override_settings(MIDDLEWARE=[POOLWARE]):
            handler = ASGIHandler()
        await asyncio.wait_for(handler(self.scope, self.receive, self.send), 10)

    async def receive(self):
        self.received += 1
        if self.received == 1:
            return {"type": "http.request"}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        if self.send_fails:
            msg = "broken pipe"
            raise OSError(msg)


async def dispatch(request):
    return await request.scope["test.view"](request)


def sync_dispatch(request):
    return request.scope["test.view"](request)


urlpatterns = [path("", dispatch), path("sync", sync_dispatch)]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def _project():
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[POOLWARE], POOLWARE={"CONTEXT": AppContext}):
        yield


def ended(conversation):
    """Whether the request has ended; only what is dropped may be collected before."""
    gc.collect()
    return KEY not in conversation.scope and lifecycle().pool.get_stats().in_use == 0


@pytest.mark.anyio
async def test_the_client_leaves_before_there_is_a_response():
    """H17: django#17675; the cancelled view cleans up with its context."""

    async def view(request):
        request.ctx.tenant = "acme"
        request.ctx.buffer(100)
        conversation.left.set()
        try:
            await asyncio.sleep(60)
        finally:
            conversation.found.append(request.ctx.tenant)

    conversation = Conversation(view)
    await conversation.run()
    assert conversation.found == ["acme"]
    assert KEY not in conversation.scope
    assert lifecycle().buffers.get_stats().in_use == 0


@pytest.mark.anyio
async def test_the_client_leaves_while_a_sync_view_runs_in_its_thread():
    """H17, H06: the thread goes on; what it holds is sealed and not handed out again."""

    def view(request):
        ctx, ctx_scope = request.ctx, request.scope
        loop.call_soon_threadsafe(conversation.left.set)
        deadline = time.monotonic() + 5
        while KEY in ctx_scope and time.monotonic() < deadline:
            time.sleep(0.001)
        try:
            conversation.found.append(ctx.tenant)
        except ContextReleased as error:
            conversation.found.append(str(error).partition(".")[0])
        done.set()
        return HttpResponse()

    loop, done = asyncio.get_running_loop(), threading.Event()
    conversation = Conversation(view)
    conversation.scope["path"] = "/sync"
    await conversation.run()
    assert done.wait(5)
    assert conversation.found == ["this AppContext was released after GET /sync"]
    assert ended(conversation)


@pytest.mark.anyio
async def test_the_client_leaves_mid_stream():
    """H17, H19: the generator cleans up with the context."""

    async def view(request):
        async def chunks():
            try:
                while True:
                    yield b"spam"
                    conversation.left.set()
                    await asyncio.sleep(0.001)
            finally:
                conversation.found.append(request.ctx.tenant)

        request.ctx.tenant = "acme"
        return StreamingHttpResponse(chunks())

    conversation = Conversation(view)
    await conversation.run()
    assert conversation.found == ["acme"]
    assert KEY not in conversation.scope


@body_left_open
@pytest.mark.anyio
async def test_sending_fails_and_nobody_closes_the_response():
    """H17, H20: it ends when the traceback, which holds the response, is gone."""

    async def view(request):
        return HttpResponse(request.ctx.tenant)

    conversation = Conversation(view, send_fails=True)
    with pytest.raises(OSError, match="broken pipe"):
        await conversation.run()
    await asyncio.sleep(0)
    assert ended(conversation)


@body_left_open
@pytest.mark.anyio
async def test_the_server_stops_while_the_views_own_task_goes_on():
    """H17: up to 5.2 Django does not cancel the view then; its response is made and never closed."""

    async def view(request):
        conversation.arrived.set()
        await go_on.wait()
        conversation.found.append(request.ctx.tenant)
        return HttpResponse()

    go_on = asyncio.Event()
    conversation = Conversation(view)
    before = asyncio.all_tasks()
    serving = asyncio.create_task(conversation.run())
    await conversation.arrived.wait()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    if django.VERSION >= (6, 0):
        assert KEY not in conversation.scope, "the view was cancelled, and its context went back"
        return
    assert KEY in conversation.scope, "the view goes on, with its context"

    left_behind = asyncio.all_tasks() - before
    go_on.set()
    conversation.left.set()
    await asyncio.wait(left_behind, timeout=5)
    assert all(isinstance(task.exception(), Exception | None) for task in left_behind)
    del left_behind, serving
    assert conversation.found == [""]
    assert ended(conversation)
