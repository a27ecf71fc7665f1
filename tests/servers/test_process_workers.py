"""Workers come and go while requests are in flight: reloaded, killed, recycled, forked from a parent with pools."""

import os
import signal

import psutil
import pytest

from .processes import PRELOADING, ROWS, came_back, ends_of, running
from .settled import balanced, settled, wait_until

RELOADING = {
    "gunicorn-sync": 3,
    "gunicorn-gthread": 1,
    "gunicorn-gevent": 1,
    "gunicorn-asgi": 1,
    "uvicorn-uvloop-httptools": 2,
    "hypercorn-asyncio": 1,
    "hypercorn-trio": 1,
    "granian-asgi": 1,
    "granian-wsgi": 1,
}
REPLACING = {
    "gunicorn-sync": 4,
    "gunicorn-gthread": 2,
    "gunicorn-asgi": 2,
    "uvicorn-uvloop-httptools": 2,
    "granian-asgi": 2,
    "granian-wsgi": 2,
}
FORKING = {
    "gunicorn-sync": "--preload --workers 2",
    "gunicorn-gthread": "--preload --workers 2",
    "gunicorn-gevent": "--preload --workers 2",
    "gunicorn-asgi": "--preload --workers 2",
    "granian-asgi": "--workers 2",
    "granian-wsgi": "--workers 2",
}
RECYCLING = {
    "gunicorn-sync": "--max-requests 5 --workers 2",
    "gunicorn-gthread": "--max-requests 5 --workers 2",
    "gunicorn-gevent": "--max-requests 5 --workers 2",
    "gunicorn-asgi": "--max-requests 5 --workers 2 --graceful-timeout 2",
    "uvicorn-uvloop-httptools": "--limit-max-requests 5 --workers 2",
}

CLOSING = {"uvicorn-uvloop-httptools"}
"""When it recycles, connections that it has accepted and not yet read are closed; a client may ask again."""


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def all_up(site, workers):
    """Whether so many workers live that have loaded the app: gunicorn's would miss a signal before that."""
    return sum(map(alive, site.started())) == workers


@pytest.mark.parametrize("server", RELOADING)
def test_reloaded_with_requests_in_flight(server, tmp_path):
    """H25, H22: after SIGHUP the old workers end their requests and give everything back; new ones serve."""
    workers = RELOADING[server]
    with running(server, tmp_path, f"--workers {workers}") as site:
        wait_until(lambda: all_up(site, workers))
        old = site.started()
        outcomes = site.hold(lambda: site.tell(signal.SIGHUP, seconds=0.5 if site.row.socket == "whole" else 2))
        # The client of a websocket may say goodbye before the worker hears of the signal.
        assert outcomes in (site.row.each("whole", site.row.socket), site.row.each("whole", "whole"))
        wait_until(lambda: not any(map(alive, old)))
        assert set(site.served()) <= set(old)
        assert sum(last["begun"] for last in site.all_came_back()) == len(site.row.kinds)
        answers = site.ask_until(lambda: not set(site.served()) <= set(old))
        assert ends_of(answers) == {"whole"}
        seen = settled(site.server)
        assert seen["pid"] not in old
        came_back(seen)
        site.quiet()


@pytest.mark.parametrize("server", REPLACING)
def test_killed_with_requests_in_flight(server, tmp_path):
    """H25: `kill -9` of one worker; its requests are lost, no other's; a new one comes, and all figures are exact."""
    workers = REPLACING[server]
    with running(server, tmp_path, f"--workers {workers}") as site:
        wait_until(lambda: all_up(site, workers))
        victims = []

        def kill():
            victims.append(next(iter(site.served())))
            os.kill(victims[0], signal.SIGKILL)
            wait_until(lambda: not alive(victims[0]))

        outcomes = site.hold(kill)
        lost = {event for pid, event, *_ in site.notes() if int(pid) in victims}
        assert outcomes == [f"{kind} {'cut' if kind in lost else 'whole'}" for kind in site.row.kinds]
        wait_until(lambda: all_up(site, workers))
        others = set(site.started()) - set(victims)
        answers = site.ask_until(lambda: others <= set(site.served()))
        assert ends_of(answers) == {"whole"}
        site.tell(signal.SIGTERM)
        site.ended()
        site.quiet()
    assert {last["pid"] for last in site.all_came_back(but=victims)} == others


@pytest.mark.parametrize("bare", ["", "1"], ids=["poolware", "bare"])
@pytest.mark.parametrize("server", ["hypercorn-asyncio", "hypercorn-trio"])
def test_hypercorn_ends_when_a_worker_is_killed(server, bare, tmp_path):
    """H25: it starts no other, with poolware or without."""
    with running(server, tmp_path, "--workers 2", BARE=bare) as site:
        wait_until(lambda: all_up(site, 2))
        outcomes = site.hold(lambda: os.kill(next(iter(site.served())), signal.SIGKILL))
        assert "slow cut" in outcomes
        site.ended()
        site.quiet()
        assert len(site.started()) == 2


def forked(site):
    """Return the last reports of the workers of a parent with contexts at rest and in use; and which they shared."""
    site.ask_until(lambda: len(site.served()) == 2)
    site.tell(signal.SIGTERM)
    assert site.ended() == 0
    site.quiet()
    parents = {context for _, event, *contexts in site.notes() if event == "rests" for context in contexts}
    used = {context for _, event, *contexts in site.notes() if event in site.row.kinds for context in contexts}
    assert len(parents) == 8
    return parents & used


@pytest.mark.parametrize("server", FORKING)
def test_forked_workers_share_nothing(server, tmp_path):
    """H26: the parent has contexts and buffers, at rest and in use; its children serve with pools of their own."""
    rows = ROWS | PRELOADING
    with running(server, tmp_path, FORKING[server], rows, PREWARM="8", KEEP="1") as site:
        assert forked(site) == set()
    assert len(site.started()) == 1
    assert len(site.all_came_back()) == 2


@pytest.mark.one_core
def test_without_the_restart_both_workers_use_the_parents_contexts(tmp_path):
    """H26: the test above can see what a child has from its parent."""
    with running("gunicorn-sync", tmp_path, FORKING["gunicorn-sync"], PREWARM="8", SABOTAGE="fork") as site:
        assert forked(site) != set()


@pytest.mark.parametrize("server", ["hypercorn-asyncio", "uvicorn-uvloop-httptools"])
def test_spawned_workers_have_pools_of_their_own(server, tmp_path):
    """H26: each has loaded the app for itself; together their figures are those of all requests."""
    with running(server, tmp_path, "--workers 2") as site:
        site.ask_until(lambda: len(site.served()) == 2)
        site.tell(signal.SIGTERM)
        site.ended()
        site.quiet()
    assert {last["pid"] for last in site.all_came_back()} == set(site.started())


@pytest.mark.parametrize("server", RECYCLING)
def test_recycled_while_requests_come(server, tmp_path):
    """H25: each worker ends after a few requests; what reaches the app is answered, to whom it was meant for."""
    with running(server, tmp_path, RECYCLING[server]) as site:
        answers = site.ask_until(lambda: len(site.started()) >= 3)
        wait_until(lambda: all_up(site, 2))
        site.tell(signal.SIGTERM)
        site.ended()
        site.quiet()
    unread = [answer for answer in answers if answer.endswith("cut")]
    assert ends_of(answers) <= {"whole", "cut", site.row.socket}
    assert server in CLOSING or not unread
    assert sum(last["begun"] for last in site.all_came_back()) == len(answers) - len(unread)


@pytest.mark.parametrize("bare", ["", "1"], ids=["poolware", "bare"])
@pytest.mark.parametrize("server", ["hypercorn-asyncio", "hypercorn-trio"])
def test_hypercorn_recycled_while_requests_come(server, bare, tmp_path):
    """H25: it may close a connection whose request the app has begun, with poolware or without."""
    with running(server, tmp_path, "--max-requests 5 --workers 2", BARE=bare) as site:
        answers = site.ask_until(lambda: len(site.started()) >= 3)
        site.tell(signal.SIGTERM)
        site.ended()
        site.quiet()
    assert ends_of(answers) <= {"whole", "cut"}
    for last in site.last_reports():
        balanced(last)
        assert last["problems"] == []
