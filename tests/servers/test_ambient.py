"""``current`` on real servers, which serve one request after the other on a connection and in a thread."""

import asyncio

import pytest

from .client import connection
from .serving import SERVERS, serve

REQUESTS = {
    "/orders/one": "nobody first one one",
    "/bare/two": "none {'none'} none none",
    "/orders/three": "nobody {'none'} three three",
    "/orders/four": "nobody {'none'} four four",
}


async def in_a_row(port):
    async with connection(port) as client:
        return {path: (await client.ask("GET", path)).body.decode() for path in REQUESTS}


@pytest.mark.parametrize(
    "server",
    ["uvicorn-asyncio-h11", "uvicorn-uvloop-httptools", "gunicorn-gthread", "gunicorn-gevent", "granian-wsgi"],
)
def test_each_request_of_a_connection_finds_its_own_context_and_no_other(server):
    """H10, H19: to the last piece of its answer. What it leaves behind finds none, nor does what is not poolware's."""
    with serve(server, f"apps.ambient_app:{SERVERS[server].interface}") as running:
        assert asyncio.run(in_a_row(running.port)) == REQUESTS
