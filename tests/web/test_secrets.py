"""H14: however a response ends, what was sensitive is zeros when the server has done with the request."""

import gc

import anyio
import pytest

from poolware import BodyTooLarge, RequestContext, SecretField, field, secret
from poolware._core.core import CORE
from poolware.web.asgi import PoolwareMiddleware as ASGIMiddleware
from poolware.web.wsgi import PoolwareMiddleware as WSGIMiddleware

START = {"type": "http.response.start", "status": 200, "headers": []}
ENDS = ["returns", "raises", "refuses", "keeps the context", "keeps the secret", "keeps both"]


class AppContext(RequestContext):
    token: SecretField = secret()
    card: bytearray = field(factory=bytearray, sensitive=True)
    email: str | None = field(default=None, sensitive=True)


class Handler:
    """Fills in what is sensitive, keeps a hand on the memory itself, and ends in one of several ways."""

    def __init__(self, end):
        self.end, self.memories, self.kept = end, [], []

    def __call__(self, carrier):
        ctx = AppContext.of(carrier)
        ctx.token = "swordfish"
        ctx.card += b"4111111111111111"
        ctx.email = "ada@example.org"
        buffer = ctx.buffer(100)
        buffer.write(b"swordfish")
        self.store = buffer._store
        self.memories = [ctx.token._memory, ctx.card]
        if CORE == "python":  # the other wipes a buffer's memory when this hand lets go of it
            self.memories.append(buffer._memory.obj)
        assert all(map(any, self.memories))
        if self.end in {"keeps the context", "keeps both"}:
            self.kept.append(ctx)
        if self.end in {"keeps the secret", "keeps both"}:
            self.kept.append(ctx.token)
        if self.end == "raises":
            raise LookupError
        if self.end == "refuses":
            raise BodyTooLarge

    def assert_wiped(self):
        assert not any(map(any, self.memories))
        assert not any(any(bytes(memory)) for tier in self.store.idle.values() for memory in tier)
        assert all("released" in repr(kept) for kept in self.kept)
        self.kept.clear()


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("end", ENDS)
async def test_asgi(serve, end, kind):
    handler = Handler(end)

    async def app(scope, receive, send):
        handler(scope)

    scope = {"type": kind, "path": "/", "headers": []}
    try:
        await serve(ASGIMiddleware(app, context=AppContext), scope=scope)
    except (LookupError, BodyTooLarge):
        handler.assert_wiped()  # while the traceback still holds the context
    else:
        handler.assert_wiped()


@pytest.mark.anyio
@pytest.mark.parametrize("when", ["running", "sending"])
async def test_asgi_cancelled(when):
    """H17."""
    handler, there = Handler("returns"), anyio.Event()

    async def stay(_message=None):
        there.set()
        await anyio.sleep_forever()

    async def app(scope, receive, send):
        handler(scope)
        await (stay() if when == "running" else send(START))

    async with anyio.create_task_group() as group:
        group.start_soon(ASGIMiddleware(app, context=AppContext), {"type": "http", "headers": []}, None, stay)
        await there.wait()
        group.cancel_scope.cancel()
    handler.assert_wiped()


@pytest.mark.parametrize("end", ENDS)
def test_wsgi(call, end):
    handler = Handler(end)

    def app(environ, start_response):
        handler(environ)
        start_response("200 OK", [])
        return [b"spam"]

    try:
        call(WSGIMiddleware(app, context=AppContext)).read_and_close()
    except LookupError:
        handler.assert_wiped()
    else:
        handler.assert_wiped()


@pytest.mark.parametrize("end", ["closed", "abandoned", "raises", "close raises"])
def test_wsgi_stream(call, end):
    """H19, H20."""
    handler = Handler("returns")

    class Stream:
        def __iter__(self):
            yield b"first"
            if end == "raises":
                raise LookupError

        def close(self):
            if end == "close raises":
                raise LookupError

    def app(environ, start_response):
        handler(environ)
        start_response("200 OK", [])
        return Stream()

    answer = call(WSGIMiddleware(app, context=AppContext))
    if end == "abandoned":
        next(iter(answer.body))
        del answer
        gc.collect()
    elif end == "closed":
        answer.read_and_close()
    else:
        with pytest.raises(LookupError):
            answer.read_and_close()
    handler.assert_wiped()


def test_off_mode_wipes_as_well(call, monkeypatch):
    """Invariant 6: off keeps the wiping."""
    monkeypatch.setenv("POOLWARE_MODE", "off")
    handler = Handler("keeps the secret")

    def app(environ, start_response):
        handler(environ)
        return []

    call(WSGIMiddleware(app, context=AppContext)).read_and_close()
    handler.assert_wiped()


@pytest.mark.parametrize("max_idle", [0, 1])
def test_what_the_pool_does_not_keep_is_wiped_as_well(call, max_idle):
    """Invariant 2: also when the object cannot be recycled."""
    handler = Handler("returns")

    def app(environ, start_response):
        handler(environ)
        return []

    middleware = WSGIMiddleware(app, context=AppContext, max_idle=max_idle)
    call(middleware).read_and_close()
    handler.assert_wiped()
    assert middleware.lifecycle.pool.get_stats().dropped == 1 - max_idle
