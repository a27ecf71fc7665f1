"""Request bodies on real servers: refused with the right status, and nothing of them is kept (H41)."""

import asyncio

import pytest

from .client import Incomplete, connection, get

LIMIT = 256 * 1024


def test_a_body_up_to_the_limit_is_taken(target):
    """H41: the limit itself, and nothing at all."""
    assert get(target.port, "/upload", "POST", body=bytes(LIMIT)).body == b"%d" % LIMIT
    assert get(target.port, "/upload", "POST", body=b"").body == b"0"


def test_a_length_over_the_limit_is_refused_before_the_body_comes(target):
    """H41: 413; only some of the body is ever sent."""
    if target.name == "django-asgi":
        pytest.skip("Django's ASGI handler reads the whole body before it asks anybody")
    assert get(target.port, "/upload", "POST", [("Content-Length", f"{LIMIT + 1}")], bytes(100)).status == 413


def test_a_body_over_the_limit_is_refused(target):
    """H41: 413 for the body as announced."""
    assert get(target.port, "/upload", "POST", body=bytes(LIMIT + 1)).status == 413


def test_a_chunked_body_over_the_limit_is_refused(target):
    """H41: 413 without any length announced. Django reads no chunked body under WSGI."""
    chunks = b"10000\r\n" + bytes(1 << 16) + b"\r\n"
    body = chunks * 4 + b"1\r\n\0\r\n0\r\n\r\n"
    headers = [("Transfer-Encoding", "chunked")]

    async def send() -> bytes:
        async with connection(target.port) as client:
            client.send("POST", "/upload", headers)
            client.writer.write(body)
            response = await client.head()
            content = b"".join([piece async for piece in client.body(response)])
            return b"%d " % response.status + content

    answer = asyncio.run(send())
    assert answer == b"200 0" if target.name == "django-wsgi" else answer.startswith(b"413 ")


@pytest.mark.parametrize("length", ["-1", "ten", "1e3", "0x10", ""])
def test_a_length_that_is_none_is_refused(target, length):
    """H41: 400, by the server or by poolware; an empty value may count as no length."""
    answer = get(target.port, "/upload", "POST", [("Content-Length", length), ("Connection", "close")], b"")
    assert answer.status == 400 or (length == "" and answer.body == b"0")


def test_a_body_that_ends_early_is_never_taken_for_whole(target):
    """H41: the client announces 1,000 bytes, sends ten and no more."""

    async def send_too_little() -> int:
        async with connection(target.port) as client:
            client.send("POST", "/upload", [("Content-Length", "1000")], bytes(10))
            client.writer.write_eof()
            try:
                return (await client.head()).status
            except Incomplete:  # the server takes the end of what comes for the end of the connection
                return 0

    assert asyncio.run(send_too_little()) in {400, 0}
