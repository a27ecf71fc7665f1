"""What some servers can send besides a plain response (H21): files, early hints, trailers."""

import asyncio

import pytest

from . import http2
from .client import connection, get
from .guests import Guest
from .settled import report, wait_until


def sent(target, guest):
    """See that the context was the request's own after everything had been sent."""
    wait_until(lambda: report(target.running)["events"])
    assert target.events() == [f"sent: {guest.tenant}"]


@pytest.mark.needs("files")
def test_file_sent_by_the_server(target):
    """H21: by wsgi.file_wrapper or pathsend; the context is in use until then."""
    guest = Guest.new()
    answer = get(target.port, guest.url(target, "send-file"))
    assert answer.status == 200
    assert len(answer.body) == int(answer.headers["content-length"]) > 1000
    sent(target, guest)


async def hinted(target, guest):
    """Return the hints and the body of an answer over HTTP/1.1."""
    async with connection(target.port) as client:
        client.send("GET", guest.url(target, "hint"))
        early = await client.head()
        assert early.status == 103
        response = await client.head()
        return early.headers.items(), b"".join([piece async for piece in client.body(response)])


@pytest.mark.needs("early hints")
def test_early_hints(target):
    """H21: 103 before the answer; Hypercorn has it over HTTP/2 only."""
    guest = Guest.new()
    if target.column.server.startswith("hypercorn"):
        answer = asyncio.run(http2.ask(target.port, guest.url(target, "hint")))
        hints, body = answer.hints, answer.body
    else:
        hints, body = asyncio.run(hinted(target, guest))
    assert ("link", "</style.css>; rel=preload") in hints
    guest.recognise(body)
    sent(target, guest)


@pytest.mark.needs("trailers")
def test_trailers(target):
    """H21: headers behind the body; the context is there until they are sent."""
    guest = Guest.new()
    answer = asyncio.run(http2.ask(target.port, guest.url(target, "trail")))
    guest.recognise(answer.body)
    assert answer.trailers == [("x-length", str(len(answer.body)))]
    sent(target, guest)
