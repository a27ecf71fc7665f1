"""Other middleware around poolware and inside of it, and what watches applications in production."""

import asyncio
import json
import re
import zlib

import pytest

from .client import connection, get
from .guests import Guest, visit, visits
from .settled import report, wait_until


def tour(target, branch):
    """See an application in another arrangement through the ways a request can end."""

    async def together():
        async with connection(target.port) as client:
            for kind in ("plain", "stream", "plain"):
                response = await visit(client, target, kind, branch)
                if response.headers.get("connection", "").lower() == "close":
                    break
        async with connection(target.port) as client:
            client.send("GET", Guest.new().url(target, "endless", branch))
            await anext(client.body(await client.head()))

    asyncio.run(together())
    assert get(target.port, Guest.new().url(target, "stream", branch), "HEAD").status == 200
    assert get(target.port, Guest.new().url(target, "refuse", branch)).status in {404, 418}
    assert get(target.port, Guest.new().url(target, "raise", branch)).status == 500
    wait_until(lambda: report(target.running)["events"])
    assert get(target.port, Guest.new().url(target, "nothing", branch)).status == 304
    return target.events()


def test_middleware_on_both_sides(target):
    """H19, H20, H23: Starlette's BaseHTTPMiddleware, a Django middleware, or generators under WSGI."""
    answer = get(target.port, Guest.new().url(target, "plain", "/wrapped"))
    passed = [line for line in answer.head.lower().splitlines() if line.startswith(b"x-passed:")]
    assert b" ".join(passed).count(b"yes") == 2
    tour(target, "/wrapped")


@pytest.mark.needs("sub-applications")
def test_sub_application(target):
    """H23: mounted below a path."""
    tour(target, "/nested/deep")


def test_poolware_twice(target):
    """H23: one middleware in another; the context is the outermost one's."""
    tour(target, "/twice")


def test_opentelemetry(target):
    """H10, H19, H23: its middleware opens a span for as long as the response lasts."""
    tour(target, "/traced")
    assert len(target.control("spans")) >= 8


def test_compressed(target):
    """H19, H21: a middleware that replaces the body."""

    async def unpacked(kind):
        guest = Guest.new()
        async with connection(target.port) as client:
            client.send("GET", guest.url(target, kind, "/compressed"), [("Accept-Encoding", "gzip")])
            response = await client.head()
            body = b"".join([piece async for piece in client.body(response)])
            assert response.headers["content-encoding"] == "gzip"
            guest.recognise(zlib.decompress(body, wbits=31))

    for kind in ("plain", "stream"):
        asyncio.run(unpacked(kind))


def failed_under_sentry(target, branch):
    """Return what Sentry has of a failed request; nothing in it is secret."""
    guest = Guest.new()
    assert get(target.port, guest.url(target, "track", branch)).status == 500
    asyncio.run(visits(target))
    (event,) = target.control("tracked")
    shown = json.dumps(event)
    assert guest.secret not in shown
    assert f"{guest.user}@test" not in shown
    wait_until(lambda: report(target.running)["contexts"]["quarantined"] == 1)
    target.control("let-go")
    return shown, guest


def test_sentry(target):
    """H06, H15: the exception is kept, and with it all local variables; the context shows, its secrets do not."""
    shown, guest = failed_under_sentry(target, "/tracked")
    assert re.search(f"<VisitContext [^>]*tenant='{guest.tenant}'[^>]* token=<Secret set>", shown)


@pytest.mark.needs("exceptions that leave the application")
def test_sentry_outside_of_poolware(target):
    """H06, H15: the same, caught after the context was released."""
    shown, _ = failed_under_sentry(target, "/tracked-outside")
    assert "<VisitContext released after GET" in shown
    assert "token=" not in shown
