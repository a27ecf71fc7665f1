"""Frameworks that use the generic middlewares, on real servers: each ending once, and everything comes back as new."""

import asyncio
import contextlib
import functools

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from .checks import everything_came_back
from .client import connection, get
from .guests import Guest, visits
from .serving import SERVERS, serve
from .settled import report, wait_until
from .targets import Column, Target

DEFAULT = {"uvicorn-uvloop-httptools", "gunicorn-gthread"}
ASGI = ["uvicorn-uvloop-httptools", "hypercorn", "granian", "daphne"]
WSGI = ["gunicorn-gthread", "waitress", "granian-wsgi"]


def on(servers, *frameworks):
    """Return the parameters of tests on each of `servers` with each of `frameworks`."""
    return [
        pytest.param(
            Column(f"{name}-{server}", name, server, f"apps.frameworks.{SERVERS[server].interface}:app", f"/{name}"),
            id=f"{name}-{server}",
            marks=() if server in DEFAULT else pytest.mark.slow,
        )
        for server in servers
        for name in frameworks
    ]


ON_ASGI = ["litestar", "quart", "falcon", "django", "bare"]
EVERYWHERE = [*on(ASGI, *ON_ASGI), *on(WSGI, "falcon", "django", "bare")]


NO_WEBSOCKETS = {
    "quart-daphne": "Quart asks for the scope's scheme, which Daphne leaves out",
    "quart-granian": "what Quart closes stays open on Granian",
}
"""The same without poolware."""


@pytest.fixture(scope="module")
def start():
    """Start a server when it is first asked for."""
    with contextlib.ExitStack() as stack:
        yield functools.cache(lambda name, app: stack.enter_context(serve(name, app)))


@pytest.fixture
def site(request, start):
    """A framework on a server; after the test everything must have come back, wiped, and be used again."""
    target = Target(request.param, start(request.param.server, request.param.app))
    target.control("forget")
    yield target
    everything_came_back(target)


def ended(site, event, guest):
    """Wait until a request has told `event`, and check that its context was its own, or refused."""
    wait_until(lambda: any(seen.startswith(event) for seen in report(site.running)["events"]))
    assert site.events()[-1].removeprefix(f"{event}: ") in {guest.tenant, "ContextReleased", "CancelledError"}


@pytest.mark.parametrize("site", EVERYWHERE, indirect=True)
def test_answers(site):
    """H01, H16: one after the other, some of them errors, on contexts that are used again."""
    asyncio.run(visits(site, 5))
    guest = Guest.new()
    assert get(site.port, guest.url(site, "refuse")).status == 404
    assert get(site.port, guest.url(site, "raise")).status == 500
    asyncio.run(visits(site, 5))


@pytest.mark.parametrize("site", EVERYWHERE, indirect=True)
def test_stream(site):
    """H19: the context is there for each piece."""
    guest = Guest.new()
    body = get(site.port, guest.url(site, "stream")).body
    guest.recognise(body)
    assert body.count(guest.tenant.encode()) == 3


@pytest.mark.parametrize("site", EVERYWHERE, indirect=True)
def test_client_gone_in_a_stream(site):
    """H19, H20."""
    guest = Guest.new()

    async def leave():
        async with connection(site.port) as client:
            client.send("GET", guest.url(site, "endless"))
            guest.recognise(await anext(client.body(await client.head())))
            client.reset()

    asyncio.run(leave())
    ended(site, "stream closed", guest)


@pytest.mark.parametrize("site", on(ASGI, "litestar", "quart", "falcon", "bare"), indirect=True)
def test_client_gone_before_the_answer(site):
    """H17."""
    guest = Guest.new()

    async def leave():
        async with connection(site.port) as client:
            client.send("GET", guest.url(site, "linger"))
            await asyncio.to_thread(wait_until, lambda: report(site.running)["events"])
            client.reset()

    asyncio.run(leave())
    ended(site, "slow ended", guest)


@pytest.mark.parametrize("site", on(ASGI, "litestar", "quart", "falcon"), indirect=True)
def test_work_behind_the_answer(site):
    """H06: Litestar's has the context, Quart's and Falcon's a detached copy."""
    guest = Guest.new()
    guest.recognise(get(site.port, guest.url(site, "behind")).body)
    ended(site, "background", guest)
    assert site.events() == [f"background: {guest.tenant}"]


@pytest.mark.parametrize("how", ["close", "leave", "abort"])
@pytest.mark.parametrize("site", on(ASGI, *ON_ASGI), indirect=True)
def test_websocket(site, how):
    """H22: closed by the application, by the client, or lost."""
    if site.column.name in NO_WEBSOCKETS:
        pytest.skip(NO_WEBSOCKETS[site.column.name])
    guest = Guest.new()

    async def talk():
        url = f"ws://127.0.0.1:{site.port}{site.column.prefix}/socket?user={guest.user}&tenant={guest.tenant}"
        async with connect(url) as websocket:
            for _ in range(2):
                await websocket.send("hi")
                guest.recognise((await websocket.recv()).encode())
            if how == "abort":
                websocket.transport.abort()
            elif how == "close":
                await websocket.send("close")
                with pytest.raises(ConnectionClosed):
                    await websocket.recv()

    asyncio.run(talk())
    if how != "close":
        ended(site, "websocket left", guest)
