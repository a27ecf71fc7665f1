"""However a response ends on a real server, what the request borrowed comes back; the fixture looks after each test."""

import asyncio

import pytest

from .client import ask, connection, get
from .serving import serve
from .settled import report, settled, wait_until

RELEASED = {"ContextReleased", "ContextMissing", "BufferReleased"}

abruptly_or_not = pytest.mark.parametrize("abruptly", [False, True], ids=["closed", "reset"])


async def leave_after(port, abruptly, method, path, *, headers=(), body=None, read=False):
    """Send a request and go, having read the beginning of the answer or nothing."""
    async with connection(port) as client:
        client.send(method, path, headers, body)
        await client.writer.drain()
        if read:
            await anext(client.body(await client.head()))
        else:
            await asyncio.sleep(0.1)
        if abruptly:
            client.reset()


def wait_for(target, event):
    wait_until(lambda: any(seen.startswith(event) for seen in report(target.running)["events"]))


@abruptly_or_not
def test_client_gone_in_the_middle_of_its_upload(target, abruptly):
    """H17, H41: the buffer that holds the first part goes back too."""
    before = report(target.running)["begun"]
    asyncio.run(
        leave_after(
            target.port, abruptly, "POST", "/upload", headers=[("Content-Length", "200000")], body=bytes(50_000)
        )
    )
    django_reads_all_first = target.name == "django-asgi"
    target.events(begun=before + (not django_reads_all_first))


@abruptly_or_not
def test_client_gone_before_the_answer(target, abruptly):
    """H17: the view is not disturbed, or is cancelled; in its thread it never sees somebody else's data."""
    asyncio.run(leave_after(target.port, abruptly, "GET", "/slow?seconds=0.5"))
    wait_for(target, "slow ended")
    (began, ended) = target.events()
    assert began == "slow began"
    assert ended == "slow ended as patient" or ended.removeprefix("slow ended with ") in RELEASED


@abruptly_or_not
def test_client_gone_in_the_middle_of_a_stream(target, abruptly):
    """H19, H20: the generator is closed, and while it is, the context is still the request's own."""
    asyncio.run(leave_after(target.port, abruptly, "GET", f"{target.asynchronous}/endless", read=True))
    wait_for(target, "stream closed")
    assert target.events() == ["stream closed with VisitContext"]


def test_a_stream_whose_request_ended_too_early_is_noticed():
    """H19: the test above can see a context that was released before the last chunk."""
    with serve("gunicorn-gthread", "apps.flask_app:app", SABOTAGE="close") as server:
        assert get(server.port, "/endless").status == 500
        assert settled(server)["events"] == []
        assert "ContextReleased" in server.tail()


def test_answers_without_a_body(target):
    """H21: HEAD and 304; the connection goes on."""

    async def in_a_row():
        async with connection(target.port) as client:
            head = await client.ask("HEAD", "/hello")
            assert (head.status, head.headers.get("content-length")) in {(200, "5"), (200, None)}
            if head.headers.get("connection", "").lower() == "close":
                return
            assert (await client.ask("GET", "/unchanged")).status == 304
            assert (await client.ask("GET", "/hello")).body == b"hello"

    asyncio.run(in_a_row())
    assert get(target.port, "/unchanged").status == 304
    assert get(target.port, "/hello", "HEAD").status == 200


def test_a_view_that_outlives_its_client_meets_nobody_else(target):
    """H06, H17: while views of lost clients still run, in threads or not, others get contexts of their own."""

    async def others():
        query = "user=u&secret=s&tenant=t&size=4000&pause=0"
        for _ in range(50):
            response = await ask(target.port, "GET", f"{target.asynchronous}/visit/plain?{query}")
            assert response.status == 200

    async def lost_and_others():
        async with asyncio.TaskGroup() as group:
            for number in range(1 if target.name == "flask-sync" else 8):
                group.create_task(leave_after(target.port, number % 2, "GET", "/slow?seconds=0.5"))
        await others()

    asyncio.run(lost_and_others())
    wait_for(target, "slow ended")


def test_generator_that_raises_half_way(target):
    """H20: the connection is closed, the context comes back."""

    async def read_what_comes():
        async with connection(target.port) as client:
            client.send("GET", f"{target.asynchronous}/wedged")
            assert (await client.head()).status == 200
            assert await client.reader.read() == b"x" * 1000

    asyncio.run(read_what_comes())
