"""Nobody ever sees anything of anybody else, on real servers, while some requests fail, stream or are abandoned.

``POOLWARE_ISOLATION_REQUESTS`` says how many requests each framework gets; the slow tests send 100,000.
"""

import asyncio
import os
import re
import sys

import pytest

from .crowd import KINDS, Outcome, crowd
from .serving import Running, serve
from .settled import balanced, report, settled

REQUESTS = int(os.environ.get("POOLWARE_ISOLATION_REQUESTS", "3000"))
FRAMEWORKS = {
    "starlette": ("uvicorn-uvloop-httptools", "apps.starlette_app:app", ""),
    "flask": ("gunicorn-gthread", "apps.flask_app:app", ""),
    "django-wsgi": ("gunicorn-gthread", "apps.django_app:wsgi", ""),
    "django-asgi": ("uvicorn-uvloop-httptools", "apps.django_app:asgi", "/async"),
}

each_framework = pytest.mark.parametrize("framework", FRAMEWORKS)
few_and_many = pytest.mark.parametrize(
    "requests", [REQUESTS, pytest.param(100_000, marks=[pytest.mark.slow, pytest.mark.timeout(3000)])]
)


def sent(server: Running, framework: str, requests: int) -> Outcome:
    outcome = asyncio.run(crowd(server.port, FRAMEWORKS[framework][2], requests, seed=framework))
    assert sum(outcome.kinds.values()) == requests
    return outcome


@few_and_many
@each_framework
def test_every_context_arrives_pristine_and_nothing_of_others_is_seen(framework, requests):
    """H01, H05, H09, H10, H16, H17, H19: fields, buffers, objects and parts, on every way a request can end."""
    server_name, app, _ = FRAMEWORKS[framework]
    with serve(server_name, app) as server:
        outcome = sent(server, framework, requests)
        after = settled(server)
        sys.stdout.write(f"\n{framework}: {outcome.kinds}\n{_figures(after)}\n")
        assert outcome.foreign == []
        assert outcome.wrong == []
        assert after["problems"] == []
        assert not re.search("did not take back|without release|failed; the", server.tail(10**9))
        assert all(outcome.kinds[kind] for kind in KINDS)
        _everything_was_borrowed_and_came_back(after, requests, outcome)
        _contexts_were_reused(after)


def _everything_was_borrowed_and_came_back(after, requests, outcome):
    balanced(after)
    # A client that leaves at once may be gone before the server has read its request.
    assert requests - outcome.kinds["cancel"] <= after["begun"] <= requests
    assert after["contexts"]["acquired"] == after["begun"]
    assert after["objects"]["acquired"] == after["buffers"]["acquired"] == after["begun"]
    assert after["contexts"]["escaped"] == 0


def _contexts_were_reused(after):
    """At least 95 %, by the contexts' addresses, of which Python may use one twice, and by what the pool has built."""
    seen, created = after["identities"], after["contexts"]["created"]
    assert seen <= created <= 0.05 * after["begun"]


@each_framework
def test_a_vouched_part_stays_with_its_context(framework):
    """H43: the same serial comes back with the same context, but for those that a failed request's traceback held."""
    server_name, app, _ = FRAMEWORKS[framework]
    with serve(server_name, app) as server:
        outcome = sent(server, framework, 1000)
        after = settled(server)
        assert after["problems"] == []
        failed = sum(outcome.kinds[kind] for kind in KINDS if kind != "stream")
        assert after["contexts"]["created"] <= after["serials"] <= after["contexts"]["created"] + failed


def _figures(after):
    begun, built = after["begun"], after["contexts"]["created"]
    known = f"{begun} begun, {built} built, {after['identities']} addresses, {after['serials']} serials"
    return f"{known}: {1 - built / begun:.2%} reused"


@pytest.mark.parametrize("protection", ["reset", "wiping"])
@pytest.mark.one_core
def test_without_the_protection_the_check_fails(protection):
    """H01, H09: what the test above rests on can see a context that was not reset and memory that was not wiped."""
    server_name, app, _ = FRAMEWORKS["starlette"]
    with serve(server_name, app, SABOTAGE=protection) as server:
        outcome = sent(server, "starlette", 300)
        assert report(server)["problems"] or outcome.foreign


@pytest.mark.one_core
def test_without_the_end_of_requests_nothing_settles():
    """H20: the test above can see contexts that never come back."""
    server_name, app, _ = FRAMEWORKS["starlette"]
    with serve(server_name, app, SABOTAGE="finish") as server:
        sent(server, "starlette", 100)
        assert report(server)["contexts"]["in_use"] == 100
