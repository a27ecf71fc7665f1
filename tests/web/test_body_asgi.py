"""read_body_async: an ASGI request's body in a pooled buffer, with a limit."""

import anyio
import pytest

from poolware import (
    BadOption,
    BodyInvalid,
    BodyTooLarge,
    BodyTruncated,
    BufferPool,
    ContextMissing,
    Lifecycle,
    RequestContext,
)
from poolware.web.asgi import PoolwareMiddleware
from poolware.web.body import read_body_async

MIB = 1024 * 1024
DISCONNECT = {"type": "http.disconnect"}
pytestmark = pytest.mark.anyio


def chunk(body, *, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.fixture
def lifecycle():
    return Lifecycle()


@pytest.fixture
def read(lifecycle):
    """Read a body out of the given messages; return its content and how many messages were left."""

    async def read(*messages, length=None, limit=100):
        headers = [] if length is None else [(b"content-length", length)]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
        waiting = list(messages)

        async def receive():
            return waiting.pop(0)

        lifecycle.begin(scope)
        try:
            body = await read_body_async(scope, receive, limit=limit)
            assert body.tell() == 0
            return body.getvalue(), len(waiting)
        finally:
            lifecycle.finish(scope)

    return read


@pytest.mark.parametrize("length", [None, b"12", b""])
async def test_a_body_in_several_messages(read, length):
    messages = [chunk(b"spam ", more=True), chunk(b"", more=True), chunk(b"and ", more=True), chunk(b"egg")]
    assert await read(*messages, DISCONNECT, length=length) == (b"spam and egg", 1)


@pytest.mark.parametrize("message", [chunk(b""), {"type": "http.request"}])
async def test_no_body(read, message):
    assert await read(message) == (b"", 0)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_of_exactly_the_limit_is_taken(read, chunked):
    content, _ = await read(chunk(b"x" * 60, more=True), chunk(b"x" * 40), length=None if chunked else b"100")
    assert len(content) == 100


async def test_an_announced_body_over_the_limit_is_refused_unread(read):
    """H41."""
    with pytest.raises(BodyTooLarge, match="has 101 bytes; at most 100 are taken"):
        await read(length=b"101")


async def test_a_chunked_body_over_the_limit_is_refused_at_the_chunk_that_passes_it(read, lifecycle):
    """H41: nothing of that chunk is kept."""
    with pytest.raises(BodyTooLarge, match="more than 100 bytes"):
        await read(chunk(b"x" * 60, more=True), chunk(b"x" * 10 * MIB, more=True))
    assert lifecycle.buffers.get_stats().idle_bytes < MIB


async def test_a_body_longer_than_announced_is_refused(read):
    """H41: a server that passes it on."""
    with pytest.raises(BodyTruncated):
        await read(chunk(b"spam and egg"), length=b"4")


async def test_a_body_shorter_than_announced_is_refused(read):
    """H41."""
    with pytest.raises(BodyTruncated, match="ended after 4 of 12 bytes"):
        await read(chunk(b"spam"), length=b"12")


@pytest.mark.parametrize("length", [b"12", None])
@pytest.mark.parametrize("before", [[], [chunk(b"spam", more=True)]])
async def test_a_client_that_leaves_mid_upload(read, before, length):
    """H17: before the first byte or after some."""
    received = sum(len(message["body"]) for message in before)
    with pytest.raises(BodyTruncated, match=f"the client left after {received} bytes"):
        await read(*before, DISCONNECT, length=length)


@pytest.mark.parametrize("value", [b"-1", b"+5", b"five", b"5, 5", b"1_000", b"\xb2"])
async def test_a_content_length_that_is_no_number_of_bytes_is_refused(read, value):
    """H41."""
    with pytest.raises(BodyInvalid, match="is no number of bytes"):
        await read(length=value)


async def test_a_content_length_with_very_many_digits_is_too_large(read):
    """H42."""
    with pytest.raises(BodyTooLarge):
        await read(length=b"9" * 5000)


async def test_a_large_announcement_reserves_little(read, lifecycle):
    """H42: memory is taken as bytes arrive, not on the client's word."""
    with pytest.raises(BodyTruncated):
        await read(chunk(b"spam"), length=b"10000000", limit=64 * MIB)
    assert lifecycle.buffers.get_stats().idle_bytes <= MIB


async def test_a_large_body_is_kept_whole_while_the_buffer_grows(read):
    """H09."""
    parts = [bytes([number]) * 100_000 for number in range(30)]
    messages = [chunk(part, more=True) for part in parts]
    content, _ = await read(*messages, chunk(b""), limit=4 * MIB)
    assert content == b"".join(parts)


@pytest.mark.parametrize("limit", [-1, True, 1.5, "100", None])
async def test_a_limit_that_is_no_size_is_an_error_that_names_it(read, limit):
    """H40."""
    with pytest.raises(BadOption, match=r"^limit=.*a whole number of at least 0"):
        await read(chunk(b""), limit=limit)


async def test_without_a_context_the_middleware_is_missing():
    with pytest.raises(ContextMissing):
        await read_body_async({"type": "http", "headers": []}, None, limit=100)


async def test_cancellation_mid_upload_gives_the_buffer_back():
    """H17, H41: a slow client and a server's time limit; nothing is kept."""
    waiting = anyio.Event()

    async def app(scope, receive, send):
        await read_body_async(scope, receive, limit=100)

    async def receive():
        if waiting.is_set():
            await anyio.sleep_forever()
        waiting.set()
        return chunk(b"spam", more=True)

    middleware = PoolwareMiddleware(app, context=RequestContext)
    with anyio.move_on_after(0.05) as timeout:
        await middleware({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, None)
    assert timeout.cancelled_caught
    assert waiting.is_set()
    stats = middleware.lifecycle.buffers.get_stats()
    assert (stats.in_use, stats.released) == (0, 1)


@pytest.mark.parametrize("announced", [None, b"12"])
async def test_a_slow_body_is_given_up(lifecycle, announced):
    """H41: the time is that of the whole body, however often another byte comes; 408, on asyncio and trio."""
    headers = [] if announced is None else [(b"content-length", announced)]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    received = []

    async def receive():
        received.append(await anyio.sleep(0.02))
        return chunk(b"x", more=True)

    async def app(scope, receive, send):
        await read_body_async(scope, receive, limit=10**6, timeout=0.1)

    answers = []

    async def send(message):
        answers.append(message)

    await PoolwareMiddleware(app, lifecycle)(scope, receive, send)
    assert answers[0]["status"] == 408
    assert answers[1]["body"].startswith(b"the request's body was not complete within 0.1 s; ")
    assert 1 <= len(received) <= 6
    assert lifecycle.pool.get_stats().in_use == lifecycle.buffers.get_stats().in_use == 0


async def test_a_body_in_time(lifecycle):
    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}

    async def receive():
        return chunk(b"spam")

    lifecycle.begin(scope)
    assert (await read_body_async(scope, receive, limit=10, timeout=60)).getvalue() == b"spam"
    lifecycle.finish(scope)


@pytest.mark.parametrize("timeout", [0, -1, True, "1", float("nan"), float("inf")])
async def test_a_timeout_that_is_none(lifecycle, timeout):
    """H40."""
    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    lifecycle.begin(scope)
    with pytest.raises(BadOption, match=r"timeout=.*: it takes a number above 0, or None"):
        await read_body_async(scope, None, limit=10, timeout=timeout)
    lifecycle.finish(scope)


async def test_a_timeout_of_the_servers_own(lifecycle):
    """It is none of the body's."""

    async def receive():
        raise TimeoutError("the server's")

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    lifecycle.begin(scope)
    with pytest.raises(TimeoutError, match="the server's"):
        await read_body_async(scope, receive, limit=10)
    lifecycle.finish(scope)


@pytest.mark.parametrize("length", [None, 90])
async def test_a_body_that_no_buffer_of_the_pool_can_hold(length):
    """The pool's ``max_size`` is a limit too: 413."""
    lifecycle = Lifecycle(buffers=BufferPool(tiers=(16,), max_size=64))
    headers = [] if length is None else [(b"content-length", str(length).encode())]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}

    async def receive():
        return {"type": "http.request", "body": bytes(30), "more_body": True}

    lifecycle.begin(scope)
    with pytest.raises(BodyTooLarge, match=r"max_size=64|from 0 to 64"):
        await read_body_async(scope, receive, limit=1000)
    lifecycle.finish(scope)
