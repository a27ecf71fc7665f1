"""The lines of an application that are worth a pool."""

import asyncio
import sqlite3
import ssl
import sys
import threading
import tracemalloc

import pytest
from flask import Flask
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from examples import findings
from poolware import BadOption
from poolware.sizing import find


def sources(sites):
    return [site.source.partition(" =")[0] for site in sites]


def test_the_planted_scratch_and_context_come_first():
    """One is freed before the request ends, the other allocated outside of Python."""
    sites, answers = find(findings.app, requests=20)
    assert {site.source.partition("  #")[0] for site in sites[:2]} == {
        "scratch = bytearray(SCRATCH_BYTES)",
        "context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)",
    }
    by_source = {site.source.partition(" =")[0]: site for site in sites}
    assert by_source["scratch"].advice.kind == "pool"
    assert by_source["context"].advice.kind == "keep"
    assert by_source["scratch"].bytes == pytest.approx(1 << 20, rel=0.01)
    assert {site.calls for site in sites[:2]} == {1.0}
    assert {site.advice.kind for site in sites[2:]} == {"leave alone"}
    assert answers == {"200": 45}


def test_a_wsgi_app_is_looked_at_as_well():
    app = Flask("shop")

    @app.get("/orders/<int:number>")
    def orders(number):
        database = sqlite3.connect(":memory:")
        database.close()
        return str(number)

    sites, answers = find(app, ["/orders/17"], requests=10)
    assert sources(sites)[0] == "database"
    assert sites[0].advice.kind == "pool"
    assert "sqlite3.connect" in sites[0].advice.hint
    assert answers == {"200": 25}


def test_threads_of_the_app_are_looked_at():
    """Starlette runs a sync endpoint in a thread of its pool."""

    def endpoint(_request):
        scratch = bytearray(300_000)
        return PlainTextResponse(str(len(scratch)))

    sites, _ = find(Starlette(routes=[Route("/", endpoint)]), requests=5)
    assert sources(sites)[0] == "scratch"


def test_what_a_line_waits_for_is_not_its_cost():
    async def endpoint(_request):
        await asyncio.sleep(0.01)
        context = ssl.create_default_context()
        return PlainTextResponse(str(context.check_hostname))

    sites, _ = find(Starlette(routes=[Route("/", endpoint)]), requests=5)
    waiting = next(site for site in sites if "sleep" in site.source)
    assert waiting.seconds < 0.005
    assert sources(sites)[0] == "context"


def test_what_depends_on_the_request_is_left_alone():
    def endpoint(request):
        size = int(request.query_params["size"])
        answer = sorted(range(size), key=lambda number: -number)
        return PlainTextResponse(str(answer[0]))

    sites, _ = find(Starlette(routes=[Route("/", endpoint)]), ["/?size=4000"], requests=3)
    site = next(site for site in sites if site.source.startswith("answer = "))
    assert site.advice.kind == "leave alone"
    assert "depends on the request" in site.advice.hint


def test_an_app_that_raises_is_looked_at_up_to_there():
    async def endpoint(_request):
        scratch = bytearray(300_000)
        raise LookupError(len(scratch))

    sites, answers = find(Starlette(routes=[Route("/", endpoint)]), requests=3)
    assert sources(sites)[0] == "scratch"
    assert answers == {"500": 11, "LookupError": 11}


def test_a_lifespan_runs_once():
    told = []

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            told.append((await receive())["type"])
            await send({"type": "lifespan.startup.complete"})
            told.append((await receive())["type"])
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    find(app, requests=2)
    assert told == ["lifespan.startup", "lifespan.shutdown"]


def test_a_startup_that_fails_is_told():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(RuntimeError, match="no database"):
        find(app, requests=2)


def test_nothing_is_traced_afterwards():
    before = sys.gettrace(), threading.gettrace(), tracemalloc.is_tracing()
    find(findings.app, requests=1)
    assert (sys.gettrace(), threading.gettrace(), tracemalloc.is_tracing()) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"requests": 0}, "requests=0"),
        ({"paths": []}, "at least one path"),
        ({"paths": "/"}, "at least one path"),
        ({"paths": ["orders"]}, "begins with /"),
        ({"interface": "cgi"}, "interface='cgi'"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(BadOption, match=message):
        find(findings.app, **options)
