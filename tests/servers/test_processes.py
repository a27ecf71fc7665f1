"""A server that is told to stop while requests are in flight: they end, or it ends them, and nothing stays behind."""

import signal
import sys

import pytest

from .processes import NOISE, POOLS, ROWS, running
from .settled import balanced

ABANDONING = ["daphne", "waitress"]
WAITING = [name for name in ROWS if name not in ABANDONING]
IMPATIENT = {
    "SIGTERM-SIGTERM": list(ROWS),
    "SIGTERM-SIGINT": [
        "uvicorn-uvloop-httptools",
        "django-asgi",
        "gunicorn-asgi",
        "gunicorn-sync",
        "gunicorn-gthread",
        "gunicorn-gevent",
    ],
    "SIGINT": ["uvicorn-uvloop-httptools", "daphne"],
    "SIGQUIT": ["gunicorn-asgi", "gunicorn-sync", "gunicorn-gthread", "gunicorn-gevent"],
}
UNWINDING = {
    ("SIGTERM-SIGTERM", "hypercorn-asyncio"),
    ("SIGTERM-SIGTERM", "hypercorn-trio"),
    ("SIGTERM-SIGINT", "gunicorn-asgi"),
    ("SIGTERM-SIGINT", "gunicorn-sync"),
    ("SIGINT", "uvicorn-uvloop-httptools"),
    ("SIGQUIT", "gunicorn-asgi"),
    ("SIGQUIT", "gunicorn-sync"),
}
"""Where the requests are cancelled, or interrupted by SystemExit; elsewhere the process ends in their midst."""


@pytest.mark.parametrize("server", WAITING)
def test_terminated_with_requests_in_flight(server, tmp_path):
    """H25, H22: the requests get their whole answers, and everything is back by the end of the process."""
    with running(server, tmp_path, ROWS[server].at_once) as site:
        outcomes = site.hold(lambda: site.tell(signal.SIGTERM))
        assert outcomes == site.row.each("whole", site.row.socket)
        assert site.ended() == site.row.status
        assert site.server.tail() == ""
    assert sum(last["begun"] for last in site.all_came_back()) == len(site.row.kinds)


@pytest.mark.one_core
def test_without_the_end_of_requests_something_stays_behind(tmp_path):
    """H25: the test above can see contexts that are still out at the end of the process."""
    with running("uvicorn-uvloop-httptools", tmp_path, SABOTAGE="finish") as site:
        site.hold(lambda: site.tell(signal.SIGTERM))
        site.ended()
    assert [last["contexts"]["in_use"] for last in site.last_reports()] == [4]


def test_waitress_interrupted_with_requests_in_flight(tmp_path):
    """H25: it waits when it gets SIGINT; an upload that is not complete never reaches the app."""
    with running("waitress", tmp_path) as site:
        assert site.hold(lambda: site.tell(signal.SIGINT)) == ["slow whole", "stream whole", "upload cut"]
        assert site.ended() == 0
        site.quiet()
    assert sum(last["begun"] for last in site.all_came_back()) == 2


@pytest.mark.parametrize("bare", ["", "1"], ids=["poolware", "bare"])
@pytest.mark.parametrize("server", ABANDONING)
def test_servers_that_wait_for_nothing(server, bare, tmp_path):
    """H25: daphne and waitress end at once when they are terminated, and in the same way without poolware."""
    with running(server, tmp_path, BARE=bare) as site:
        assert site.hold(lambda: site.tell(signal.SIGTERM)) == site.row.each("cut", "cut")
        assert site.ended() == site.row.status
        site.quiet()


@pytest.mark.parametrize(
    ("signals", "server"), [(signals, server) for signals, servers in IMPATIENT.items() for server in servers]
)
def test_stopped_in_a_hurry_with_requests_that_do_not_end(signals, server, tmp_path):
    """H25, H22, H18: whatever the server does to them, the processes end, add up, and poolware has nothing to say."""
    if (signals, server) == ("SIGTERM-SIGTERM", "hypercorn-asyncio") and sys.version_info >= (3, 12):
        pytest.skip(
            "asyncio's own server waits for its connections there, and Hypercorn ends no sooner for two signals"
        )
    with running(server, tmp_path, f"{ROWS[server].at_once} {ROWS[server].patience}") as site:
        told = [signal.Signals[name] for name in signals.split("-")]
        outcomes = site.hold(lambda: site.tell(*told), end=False)
        assert not [outcome for outcome in outcomes if outcome.endswith("whole")]
        site.ended()
        site.quiet()
    reports = site.last_reports()
    for last in reports:
        balanced(last)
        assert last["problems"] == []
    if (signals, server) in UNWINDING:
        assert sum(last["begun"] for last in reports) == len(site.row.kinds)
        assert not any(last[pool]["in_use"] for last in reports for pool in POOLS)


@pytest.mark.parametrize("loud", ["", "1"], ids=["protected", "unprotected"])
def test_what_a_process_holds_to_its_end_is_not_mentioned(loud, tmp_path):
    """H35: nor is what the app has borrowed for as long as it lives; without the protection there would be noise."""
    with running("gunicorn-gthread", tmp_path, KEEP="1", LOUD=loud) as site:
        site.hold(lambda: site.tell(signal.SIGTERM))
        assert site.ended() == 0
        assert bool(NOISE.search(site.server.tail())) == bool(loud)
    assert [last["contexts"]["in_use"] for last in site.last_reports()] == [1]
