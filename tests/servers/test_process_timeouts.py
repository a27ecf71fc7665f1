"""Servers that give up on a request or a worker, and greenlets that are killed: all comes back, and it goes on."""

import asyncio
import random
import re
from collections import Counter

import pytest

from .client import PATIENCE, connection
from .process_clients import ask
from .processes import POOLS, STRUCK, came_back, ends_of, running
from .settled import balanced, report, settled, wait_until

LIMITS = {
    "uvicorn-uvloop-httptools": ("--timeout-keep-alive 1", []),
    "hypercorn-asyncio": ("--read-timeout 1 --keep-alive 1", ["stream cut", "upload 400", "socket cut"]),
    "hypercorn-trio": ("--read-timeout 1 --keep-alive 1", ["stream cut", "upload 400", "socket cut"]),
    "granian-asgi": ("--http1-header-read-timeout 1000", []),
    "granian-wsgi": ("--http1-header-read-timeout 1000", []),
    "gunicorn-asgi": ("--timeout 1 --keep-alive 1", ["upload 400"]),
    "gunicorn-gthread": ("--timeout 1 --keep-alive 1", []),
    "gunicorn-gevent": ("--timeout 1 --keep-alive 1", []),
    "daphne": ("--http-timeout 1 --application-close-timeout 1", ["slow 503", "stream incomplete"]),
    "waitress": ("--channel-timeout=1 --cleanup-interval=1", ["upload cut"]),
}
"""The options that have a server give up after a second, and what it does then to requests; to all others nothing."""


def one_idle_connection_is_closed(site):
    """Keep a connection after its answer, and wait for the server to close it: its patience is over by then."""

    async def idle():
        async with connection(site.server.port) as client, asyncio.timeout(PATIENCE):
            assert (await client.ask("GET", "/control")).status == 200
            assert await client.reader.read() == b""

    asyncio.run(idle())


@pytest.mark.parametrize("server", LIMITS)
def test_requests_that_outlast_the_servers_patience(server, tmp_path):
    """H17, H22, H25: what it gives up is given back, what it leaves alone is answered, and the process goes on."""
    options, given_up = LIMITS[server]
    with running(server, tmp_path, options) as site:

        def wait():
            if server != "daphne":  # whose limit is for answers alone
                one_idle_connection_is_closed(site)
            wait_until(lambda: sorted(site.over) == sorted(given_up))

        outcomes = site.hold(wait)
        others = [kind for kind in site.row.kinds if not any(outcome.startswith(kind) for outcome in given_up)]
        assert sorted(outcomes) == sorted([*given_up, *(f"{kind} whole" for kind in others)])
        seen = settled(site.server)
        came_back(seen)
        assert site.started() == [seen["pid"]]
        assert ends_of(site.ask_until(lambda: True)) == {"whole"}
        site.quiet()


def test_workers_that_hang_in_a_request(tmp_path):
    """H25, H18: gunicorn interrupts its sync workers with SystemExit: in a view, a stream, an upload half way."""
    with running("gunicorn-sync", tmp_path, "--workers 3 --timeout 1") as site:
        assert site.hold(lambda: None, end=False) == ["slow 500", "stream cut", "upload 500"]
        old = set(site.started())
        wait_until(lambda: len(site.started()) == 6)
        assert ends_of(site.ask_until(lambda: True)) == {"whole"}
        came_back(settled(site.server))
        site.quiet()
        given_up = [last for last in site.last_reports() if last["pid"] in old]
    assert given_up  # who has not ended within a second more was killed
    for last in given_up:
        balanced(last)
        assert last["problems"] == []
        assert not any(last[pool]["in_use"] for pool in POOLS)


@pytest.mark.parametrize("server", ["gunicorn-asgi"])
def test_workers_that_one_view_holds_up(server, tmp_path):
    """H25: a view that yields to nobody has the worker killed, with all its requests; the next starts afresh."""
    with running(server, tmp_path, "--timeout 1") as site:
        assert site.hold(lambda: wait_until(lambda: len(site.started()) == 2), ["slow", "stuck"]) == [
            "slow cut",
            "stuck cut",
        ]
        assert ends_of(site.ask_until(lambda: True)) == {"whole"}
        seen = settled(site.server)
        came_back(seen)
        assert seen["pid"] == site.started()[1]
        site.quiet()


# --- gevent -----------------------------------------------------------------------------------------------------------

STRIKES, PLACES = ("kill", "timeout", "error"), ("view", "stream", "end")


async def strike_all(site, rounds, clients=16):
    """Have every strike hit every place so many times, among as many requests that nothing strikes."""
    cases = [f"struck/{strike}/{place}" for strike in (*STRIKES, *["never"] * 3) for place in PLACES] * rounds
    todo, outcomes = iter(random.Random(7).sample(cases, len(cases))), Counter()

    async def client():
        for case in todo:
            outcomes[f"{case} {await ask(site.server.port, case, asyncio.Event())}"] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    assert outcomes.total() == len(cases)
    return outcomes


def test_greenlets_struck_wherever_they_are(tmp_path):
    """H18, H34: killed or timed out in a view, between pieces, and while giving back; others notice nothing of it."""
    with running("gunicorn-gevent", tmp_path, rows=STRUCK) as site:
        outcomes = asyncio.run(strike_all(site, rounds=10))
        assert ends_of([outcome for outcome in outcomes if "never" in outcome]) == {"whole"}
        assert outcomes["struck/kill/stream cut"] > 0 < outcomes["struck/error/stream cut"]
        assert outcomes["struck/kill/view cut"] > 0 < outcomes["struck/timeout/view 500"]
        seen = settled(site.server)
        came_back(seen)
        tools = seen["tools"]
        assert tools["acquired"] == tools["released"] == tools["hits"] + tools["misses"]
        assert tools["created"] == tools["idle"] + tools["destroyed"]
        assert (tools["idle"], tools["quarantined"], tools["lost"]) == (4, 0, 0)
        assert tools["reset_errors"] > 0  # some were struck while it was given back
        assert ends_of(site.ask_until(lambda: True)) == {"whole"}
        assert not re.search("did not take back|without release", site.server.tail(10**9))


def test_without_care_for_interrupts_contexts_are_lost(tmp_path):
    """H18: the test above can see requests that a killed greenlet has left without an end."""
    with running("gunicorn-gevent", tmp_path, rows=STRUCK, CARELESS="1") as site:
        asyncio.run(strike_all(site, rounds=2))
        seen = report(site.server)["contexts"]
        assert seen["lost"] + seen["in_use"] > 0
