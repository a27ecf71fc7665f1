"""Request bodies on real servers: refused with the right status, and nothing of them is kept (H41)."""

import asyncio
import contextlib

import pytest

from .client import Incomplete, connection, get
from .guests import Guest
from .settled import report, settled

LIMIT = 256 * 1024
CHUNK = b"10000\r\n" + bytes(1 << 16) + b"\r\n"
CHUNKED = [("Transfer-Encoding", "chunked")]


def upload(target, headers=(), body=None):
    guest = Guest.new()
    return guest, get(target.port, guest.url(target, "upload"), "POST", headers, body)


@pytest.mark.parametrize("length", [0, LIMIT], ids=["empty", "at-the-limit"])
def test_body_taken(target, length):
    """H41: up to the limit itself, and nothing at all."""
    guest, answer = upload(target, body=bytes(length))
    guest.recognise(answer.body)
    assert answer.body.split()[-1] == b"%d" % length


def test_body_over_the_limit(target):
    """H41: 413 for the body as announced."""
    assert upload(target, body=bytes(LIMIT + 1))[1].status == 413


@pytest.mark.needs("uploads that reach the view early", "answers before the whole body")
def test_length_over_the_limit(target):
    """H41: 413 before the body comes; only some of it is ever sent."""
    assert upload(target, [("Content-Length", f"{LIMIT + 1}")], bytes(100))[1].status == 413


@pytest.mark.needs("chunked uploads")
def test_chunked_body(target):
    """H41: taken without a length announced, and refused when it grows too long."""

    async def send(body):
        guest = Guest.new()
        async with connection(target.port) as client:
            client.send("POST", guest.url(target, "upload"), CHUNKED)
            client.writer.write(body)
            response = await client.head()
            content = b"".join([piece async for piece in client.body(response)])
        if response.status == 200:
            guest.recognise(content)
        return response.status, content.split()[-1]

    assert asyncio.run(send(CHUNK + b"0\r\n\r\n")) == (200, b"65536")
    assert asyncio.run(send(CHUNK * 4 + b"1\r\n\0\r\n0\r\n\r\n"))[0] == 413


@pytest.mark.needs("uploads that reach the view early", "chunked uploads")
def test_chunked_body_without_end(target):
    """H17, H41: the client is gone in the middle of it."""
    begun = report(target.running)["begun"]

    async def leave():
        async with connection(target.port) as client:
            client.send("POST", Guest.new().url(target, "upload"), CHUNKED)
            client.writer.write(CHUNK)
            await client.writer.drain()
            await asyncio.sleep(0.05)

    asyncio.run(leave())
    settled(target.running, begun + 1)


def test_length_that_is_none(target):
    """H41: 400, by the server or by poolware; an empty value may count as no length."""
    for length in ("-1", "ten", "1e3", "0x10", ""):
        _, answer = upload(target, [("Content-Length", length), ("Connection", "close")], b"")
        assert answer.status == 400 or (length == "" and answer.body.endswith(b" 0")), (length, answer)


def test_body_that_ends_early(target):
    """H41: the client announces 1,000 bytes, sends ten and no more; they are never taken for the whole."""

    async def send_too_little():
        async with connection(target.port) as client:
            client.send("POST", Guest.new().url(target, "upload"), [("Content-Length", "1000")], bytes(10))
            client.writer.write_eof()
            with contextlib.suppress(Incomplete):  # the server takes the end of what comes for that of the connection
                return (await client.head()).status

    assert asyncio.run(send_too_little()) in {400, 500, None}  # 500: Granian, where Django says nothing at all


def test_body_longer_than_announced(target):
    """H41: what is too much is never part of this body or of the next one."""

    async def send_too_much():
        guest = Guest.new()
        async with connection(target.port) as client:
            client.send("POST", guest.url(target, "upload"), [("Content-Length", "10")], bytes(200))
            response = await client.head()
            body = b"".join([piece async for piece in client.body(response)])
        if response.status != 400:  # some servers look at what follows before they answer
            guest.recognise(body)
            assert body.split()[-1] == b"10"

    asyncio.run(send_too_much())
    test_body_taken(target, 10)  # takes its turn behind what the server may still do with the first
