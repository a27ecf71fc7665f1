"""However a response ends on a real server, what the request borrowed comes back; the fixture looks after each test."""

import asyncio
import contextlib

import pytest

from .client import Incomplete, ask, connection, get
from .guests import Guest, visit, visits
from .serving import serve
from .settled import report, settled, wait_until
from .targets import IDLE_SECONDS

CANCELLED = {"CancelledError", "Cancelled"}
PROMISED = 20_000
"""Bytes that broken answers announce and never send."""

abruptly_or_not = pytest.mark.parametrize("abruptly", [False, True], ids=["closed", "reset"])


async def wait_for(target, event):
    await asyncio.to_thread(
        wait_until, lambda: any(seen.startswith(event) for seen in report(target.running)["events"])
    )


async def broken_off(target, kind):
    """Return what comes of an answer that never ends."""
    guest = Guest.new()
    async with connection(target.port) as client:
        client.send("GET", guest.url(target, kind))
        with contextlib.suppress(Incomplete):
            response = await client.head()
            assert response.status == 200
            async with asyncio.timeout(3):
                body = await client.reader.read()
            assert len(body) < PROMISED
            guest.recognise_some(body)


async def leave_during(target, *requests, abruptly, arrived=True):
    """Send each of `requests`, the arguments of a request, wait until the views have them all, and go."""
    before = (await asyncio.to_thread(report, target.running))["arrived"]
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connection(target.port)) for _ in requests]
        for client, request in zip(clients, requests, strict=True):
            client.send(*request)
            await client.writer.drain()
        if arrived and target.has("concurrency"):
            everybody = before + len(requests)
            await asyncio.to_thread(wait_until, lambda: report(target.running)["arrived"] == everybody)
        else:  # nobody can be asked, or there is nothing to be seen
            await asyncio.sleep(0.1)
        if abruptly:
            for client in clients:
                client.reset()


# --- answers ----------------------------------------------------------------------------------------------------------


def test_normal(target):
    """H01, H09, H10, H16: one after the other on one connection, with buffers that are used as a view or not."""

    async def in_a_row():
        async with connection(target.port) as client:
            for size in range(600, 610):
                response = await visit(client, target, size=size)
                if response.headers.get("connection", "").lower() == "close":
                    break

    asyncio.run(in_a_row())


@pytest.mark.needs("concurrency")
def test_several_at_once(target):
    """H01: nobody gets what another has in use."""

    async def some(client):
        for _ in range(5):
            response = await visit(client, target, pause=0.01)
            if response.headers.get("connection", "").lower() == "close":
                break

    async def together():
        async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(some(await stack.enter_async_context(connection(target.port))))

    asyncio.run(together())


def test_exception_before_headers(target):
    """H06, H16: 500; the traceback holds the context for a while."""
    for _ in range(3):
        assert get(target.port, Guest.new().url(target, "raise")).status == 500


def test_http_error(target):
    """H16: the framework's own exception, as for 404."""
    guest = Guest.new()
    assert get(target.port, guest.url(target, "refuse")).status in {404, 418}


@pytest.mark.needs("write()")
def test_exception_after_headers(target):
    """H16, H20: the head of the answer is gone already."""
    asyncio.run(broken_off(target, "break-off"))


def test_head(target):
    """H21: no body, and the connection goes on."""

    async def in_a_row():
        async with connection(target.port) as client:
            head = await client.ask("HEAD", Guest.new().url(target))
            assert head.status == 200
            if head.headers.get("connection", "").lower() != "close":
                await visit(client, target)

    asyncio.run(in_a_row())


def test_not_modified(target):
    """H21: 304, and the connection goes on."""

    async def in_a_row():
        async with connection(target.port) as client:
            response = await client.ask("GET", Guest.new().url(target, "nothing"))
            assert response.status == 304
            if response.headers.get("connection", "").lower() != "close":
                await visit(client, target)

    asyncio.run(in_a_row())


# --- streams ----------------------------------------------------------------------------------------------------------


def test_head_of_a_stream(target):
    """H20, H21: the stream may never be started."""
    assert get(target.port, Guest.new().url(target, "stream", pause=0.01), "HEAD").status == 200


def test_stream_finished(target):
    """H19: the context is there for each piece."""

    async def read():
        async with connection(target.port) as client:
            await visit(client, target, "stream", pause=0.01)

    asyncio.run(read())


def test_stream_raised_half_way(target):
    """H20: the connection is closed, the context comes back."""
    asyncio.run(broken_off(target, "wedge"))


@pytest.mark.parametrize("kind", ["abandon", "abandon-and-fail"], ids=["answered", "raised"])
def test_stream_abandoned(target, kind):
    """H20: the view made a stream that never starts, and answers with something else or raises."""
    guest = Guest.new()
    response = get(target.port, guest.url(target, kind))
    if kind == "abandon":
        guest.recognise(response.body)
    else:
        assert response.status == 500


# --- clients that go --------------------------------------------------------------------------------------------------


@abruptly_or_not
@pytest.mark.parametrize("sent", [0, 50_000], ids=["before-the-body", "within-the-body"])
def test_client_gone_uploading(target, abruptly, sent):
    """H17, H41: the buffer that holds the first part goes back too."""
    early = target.has("uploads that reach the view early")
    begun = report(target.running)["begun"]
    request = ("POST", Guest.new().url(target, "upload"), [("Content-Length", "200000")], bytes(sent))
    asyncio.run(leave_during(target, request, abruptly=abruptly, arrived=early))
    settled(target.running, begun + early)


@abruptly_or_not
def test_client_gone_before_the_answer(target, abruptly):
    """H17: the view is not disturbed, or is cancelled; it never sees somebody else's data."""
    guest = Guest.new()

    async def leave():
        await leave_during(target, ("GET", guest.url(target, "linger", pause=0.2)), abruptly=abruptly)
        await wait_for(target, "slow ended")

    asyncio.run(leave())
    began, ended = target.events()
    assert began == "slow began"
    assert ended.removeprefix("slow ended: ") in {guest.tenant} | CANCELLED


@pytest.mark.needs("threads beside a loop")
@abruptly_or_not
def test_client_gone_before_the_answer_of_a_thread(target, abruptly):
    """H17: a sync view under ASGI runs on in its thread; where the app does not wait for it, its context is gone."""
    guest = Guest.new()
    in_a_thread = f"/sync{guest.url(target, 'linger', pause=0.3).removeprefix(target.column.prefix)}"

    async def leave():
        await leave_during(target, ("GET", in_a_thread), abruptly=abruptly)
        await visits(target)
        await wait_for(target, "slow ended")

    asyncio.run(leave())
    assert target.events()[-1].removeprefix("slow ended: ") in {guest.tenant, "ContextReleased"}


@abruptly_or_not
def test_client_gone_in_a_stream(target, abruptly):
    """H19, H20: the generator is closed, and while it is, the context is still the request's own.

    Under ASGI one that is cancelled while the server sends is closed by Python, some time after that.
    """
    guest = Guest.new()

    async def leave():
        async with connection(target.port) as client:
            client.send("GET", guest.url(target, "endless"))
            guest.recognise(await anext(client.body(await client.head())))
            if abruptly:
                client.reset()
        await wait_for(target, "stream closed")

    asyncio.run(leave())
    (closed,) = target.events()
    its_own = f"stream closed: {guest.tenant}"
    assert closed == its_own or (target.column.interface, closed) == ("asgi", "stream closed: ContextReleased")


@pytest.mark.needs("concurrency")
def test_views_that_outlive_their_clients(target):
    """H06, H17: while views of lost clients still run, others get contexts of their own."""
    requests = [("GET", Guest.new().url(target, "linger", pause=0.2)) for _ in range(6)]

    async def leave():
        await leave_during(target, *requests, abruptly=True)
        await visits(target, 10)

    asyncio.run(leave())
    wait_until(lambda: sum(seen.startswith("slow ended") for seen in report(target.running)["events"]) == 6)


# --- clients that take their time -------------------------------------------------------------------------------------


def test_slow_reader(target):
    """H07, H19: 6 MiB through a small window; others are served meanwhile."""
    guest = Guest.new()
    expected = f"{guest.user} {guest.tenant} ".encode().ljust(64)

    async def read_slowly():
        async with connection(target.port, receive_buffer=8 * 1024) as client:
            client.send("GET", guest.url(target, "big"))
            response = await client.head()
            if target.has("concurrency"):
                await visits(target)
            if target.has("back-pressure") and target.has("concurrency"):
                await asyncio.to_thread(wait_until, lambda: report(target.running)["contexts"]["in_use"] == 1)
            rest, read = b"", 0
            async for piece in client.body(response):
                rest += piece
                assert rest[: len(rest) // 64 * 64] == expected * (len(rest) // 64)
                read, rest = read + len(rest) // 64 * 64, rest[len(rest) // 64 * 64 :]
                await asyncio.sleep(0.0005)
        assert read == 6 * 1024 * 1024

    asyncio.run(read_slowly())


def test_slow_writer(target):
    """H41: an upload that drips."""
    guest = Guest.new()

    async def drip():
        async with connection(target.port) as client:
            client.send("POST", guest.url(target, "upload"), [("Content-Length", "2000")], b"")
            for _ in range(20):
                client.writer.write(bytes(100))
                await client.writer.drain()
                await asyncio.sleep(0.005)
            response = await client.head()
            body = b"".join([piece async for piece in client.body(response)])
            assert (response.status, body.split()[-1]) == (200, b"2000")
            guest.recognise(body)

    asyncio.run(drip())


@pytest.mark.needs("an idle timeout")
def test_idle_connection_closed_by_the_server(target):
    """H10: nothing is in use or held while a connection waits, nor after the server has closed it."""

    async def stay():
        async with connection(target.port) as client:
            await visit(client, target)
            assert (await asyncio.to_thread(settled, target.running))["contexts"]["in_use"] == 0
            async with asyncio.timeout(IDLE_SECONDS * 5):
                assert await client.reader.read() == b""

    asyncio.run(stay())


@pytest.mark.one_core
def test_a_stream_whose_request_ended_too_early_is_noticed():
    """H19: the tests above can see a context that was released before the last chunk."""
    guest = Guest.new()
    with serve("gunicorn-gthread", "apps.flask_app:app", SABOTAGE="close") as server:
        answer = asyncio.run(ask(server.port, "GET", f"/visit/stream?user={guest.user}&tenant={guest.tenant}"))
        assert answer.status == 500
        assert "ContextReleased" in server.tail()
