"""Real servers under a crowd that does everything a client can do wrong, in an order that the seed draws."""

from __future__ import annotations

import asyncio
import os
import random
import re
from pathlib import Path
from typing import Any

import pytest
from servers.client import get
from servers.serving import Running, serve
from servers.settled import balanced, report, settled

from .bounds import bounded
from .ledger import Ledger, Part
from .memory import Resident
from .misbehaviour import CLIENTS, LEAVING, WEIGHTS, Outcome, crowd

TARGETS = {
    "starlette_uvloop": ("uvicorn-uvloop-httptools", "apps.chaos_starlette:app", "", 0.34),
    "starlette_trio": ("hypercorn-trio", "apps.chaos_starlette:app", "", 0.14),
    "flask_gthread": ("gunicorn-gthread", "apps.chaos_flask:app", "", 0.22),
    "django_gthread": ("gunicorn-gthread", "apps.chaos_django:wsgi", "", 0.18),
    "django_uvloop": ("uvicorn-uvloop-httptools", "apps.chaos_django:asgi", "/async", 0.12),
}
REUSED = 0.9
FLAT = 0.03
LONG = 20_000
"""From so many requests on the memory has had the time to become flat."""
TESTS = Path(__file__).parents[1]


def served(name: str, **environment: str) -> Any:
    """Serve an app of the chaos, which finds its samples in this folder."""
    paths = os.pathsep.join([str(TESTS / "servers"), str(TESTS)])
    return serve(TARGETS[name][0], TARGETS[name][1], PYTHONPATH=paths, **environment)


def visited(server: Running, name: str, requests: int, choose: random.Random, progress: Any) -> Outcome:
    return asyncio.run(crowd(server.port, TARGETS[name][2], requests, choose, progress))


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_seen_of_others_and_everything_comes_back(name: str, ledger: Ledger) -> None:
    """H06 H07 H16 H17 H19 H20 H34: all ways to end at once, on a server; its memory stays flat in the long run."""
    wanted = int(ledger.bounds.requests * TARGETS[name][3])
    with ledger.part(name, wanted) as (part, progress), served(name) as server:
        with Resident(server.process.pid) as resident:
            outcome = visited(server, name, wanted, ledger.bounds.random(name), progress)
        after = settled(server)
        take_down(part, outcome, after, resident)
        assert outcome.foreign == after["problems"] == []
        assert outcome.wrong == []
        assert not re.search("did not take back|without release|failed; the", server.tail(10**9))
        check_books(after, outcome, wanted)
        assert after["contexts"]["created"] <= max(2 * CLIENTS, (1 - REUSED) * after["contexts"]["acquired"])
        if wanted >= LONG:
            assert abs(part.figures["rss_last_third"] / part.figures["rss_second_third"] - 1) <= FLAT


def take_down(part: Part, outcome: Outcome, after: dict[str, Any], resident: Resident) -> None:
    contexts = after["contexts"]
    part.requests = sum(outcome.kinds.values())
    part.figures = {
        "begun": contexts["acquired"],
        "created": contexts["created"],
        "foreign": len(outcome.foreign) + len(after["problems"]),
        "lost": sum(after[pool].get("lost", 0) + after[pool]["in_use"] for pool in ("contexts", "objects", "buffers")),
        "reused": 1 - contexts["created"] / max(contexts["acquired"], 1),
        "rss_second_third": resident.third(1),
        "rss_last_third": resident.third(2),
        "kinds": dict(outcome.kinds),
    }


def check_books(after: dict[str, Any], outcome: Outcome, requests: int) -> None:
    balanced(after)
    assert sum(outcome.kinds.values()) == requests
    # A client that leaves at once may be gone before the server, or the framework, has read its request.
    gone = sum(outcome.kinds[kind] for kind in LEAVING)
    begun = after["contexts"]["acquired"]
    assert requests - gone <= begun <= requests
    visits = after["objects"]["acquired"]
    assert begun - outcome.kinds["missing"] - gone <= visits <= begun
    assert requests < 50 * len(WEIGHTS) or all(outcome.kinds[kind] for kind in WEIGHTS)


@pytest.mark.parametrize("protection", ["proof", "reset", "wiping", "quarantine"])
@pytest.mark.one_core
def test_without_the_protection_it_is_noticed(protection: str) -> None:
    """The test above would turn red, within the few requests of every run."""
    bounds = bounded({})
    with served("starlette_uvloop", SABOTAGE=protection) as server:
        wanted = int(bounds.requests * TARGETS["starlette_uvloop"][3])
        outcome = visited(server, "starlette_uvloop", wanted, bounds.random("starlette_uvloop"), lambda _done: None)
        assert outcome.foreign or outcome.wrong or report(server)["problems"]


@pytest.mark.one_core
def test_without_the_end_of_requests_nothing_comes_back() -> None:
    """The test above can see contexts that are lost."""
    with served("flask_gthread", SABOTAGE="finish") as server:
        visited(server, "flask_gthread", 100, random.Random(1), lambda _done: None)
        get(server.port, "/control/collect")
        assert report(server)["contexts"]["in_use"] > 90
