"""What is excused in the matrix goes wrong without poolware as well. Once a test here fails, so does its excuse."""

import asyncio

import pytest

from .client import connection, get
from .serving import serve

A_WHILE = 1.5


def test_daphne_leaves_a_response_that_failed_half_way():
    """H20: its connection stays open, what the request held stays held, and later failures are not answered either."""

    async def wait_for_the_end():
        async with connection(server.port) as client:
            client.send("GET", "/break-off")
            assert (await client.head()).status == 200
            assert await client.reader.readexactly(13) == b"the beginning"
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(A_WHILE):
                    await client.reader.read(1)

    async def fail():
        async with connection(server.port) as client:
            client.send("GET", "/fail")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(A_WHILE):
                    await client.head()

    with serve("daphne", "apps.bare_app:app") as server:
        assert get(server.port, "/fail").status == 500
        asyncio.run(wait_for_the_end())
        assert get(server.port, "/held").body == b"1"
        asyncio.run(fail())
        assert get(server.port, "/held").body == b"2"
