"""What people write today, with an object that is used again: the same endings, and what goes wrong."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import django
import pytest

from . import settled as looks
from . import test_endings as endings
from . import test_holders as holders
from .guests import visits
from .serving import serve
from .settled import balanced, report, settled, wait_until
from .targets import COLUMNS, Column, Target


@dataclass(frozen=True)
class Peer:
    """A pattern, and where it runs."""

    what: str
    server: str
    app: str
    like: str
    """The column of the matrix that is the same but for poolware."""
    prefix: str = ""

    def column(self) -> Column:
        return Column(self.like, COLUMNS[self.like].framework, self.server, self.app, self.prefix)


GTHREAD, UVICORN = "gunicorn-gthread", "uvicorn-uvloop-httptools"
PEERS = {
    "flask.g": Peer("flask.g with teardown_request", GTHREAD, "apps.peer_flask:with_g", "flask-gunicorn-gthread"),
    "WSGI try": Peer("try/finally around a WSGI app", GTHREAD, "apps.peer_flask:with_try", "flask-gunicorn-gthread"),
    "WSGI close": Peer(
        "a pool by hand, released on close()", GTHREAD, "apps.peer_flask:with_close", "flask-gunicorn-gthread"
    ),
    "ASGI try": Peer(
        "try/finally around an ASGI app", UVICORN, "apps.peer_starlette:with_try", "starlette-uvicorn-uvloop"
    ),
    "FastAPI yield": Peer(
        "a FastAPI dependency with yield", UVICORN, "apps.peer_starlette:with_yield", "starlette-uvicorn-uvloop"
    ),
    "Django signal": Peer(
        "Django's request_finished, WSGI", GTHREAD, "apps.peer_django:with_signal", "django-gunicorn-gthread"
    ),
    "Django signal, async": Peer(
        "Django's request_finished, ASGI", UVICORN, "apps.peer_django:with_signal_async", "django-uvicorn", "/async"
    ),
    "poolware, Flask": Peer("poolware", GTHREAD, "apps.flask_app:app", "flask-gunicorn-gthread"),
    "poolware, Starlette": Peer("poolware", UVICORN, "apps.starlette_app:app", "starlette-uvicorn-uvloop"),
    "poolware, Django": Peer("poolware", GTHREAD, "apps.django_app:wsgi", "django-gunicorn-gthread"),
    "poolware, Django async": Peer("poolware", UVICORN, "apps.django_app:asgi", "django-uvicorn", "/async"),
}


def kept_and_written(part: str) -> Callable[[Target], None]:
    def ending(target: Target) -> None:
        holders.visit_once(target, "keep", part=part)
        wait_until(lambda: report(target.running)["contexts"]["in_use"] == 0)
        target.control("write-late")
        asyncio.run(visits(target))
        target.control("let-go")

    return ending


def keeps_a_thread_writing(target: Target) -> None:
    for _ in range(3):
        holders.visit_once(target, "write-on")
        asyncio.run(visits(target, 5, pause=0.005))
    target.control("stop-writing")


ENDINGS: dict[str, Callable[[Target], None]] = {
    "normal": endings.test_normal,
    "several at once": endings.test_several_at_once,
    "exception before headers": endings.test_exception_before_headers,
    "HTTP error": endings.test_http_error,
    "exception after headers": endings.test_exception_after_headers,
    "HEAD": endings.test_head,
    "HEAD of a stream": endings.test_head_of_a_stream,
    "stream finished": endings.test_stream_finished,
    "stream raised half way": endings.test_stream_raised_half_way,
    "stream abandoned": lambda target: endings.test_stream_abandoned(target, "abandon"),
    "client gone before the answer": lambda target: endings.test_client_gone_before_the_answer(target, abruptly=True),
    "client gone in a stream": lambda target: endings.test_client_gone_in_a_stream(target, abruptly=True),
    "views that outlive their clients": endings.test_views_that_outlive_their_clients,
    "background work": holders.test_background_task,
    "context kept and written to": kept_and_written("context"),
    "params kept and written to": kept_and_written("params"),
    "thread that writes on": keeps_a_thread_writing,
}
STREAMS = {"stream finished", "stream raised half way", "client gone in a stream"}
KEPT = {"context kept and written to", "params kept and written to", "thread that writes on"}
GO_WRONG: dict[str, set[str]] = {
    "flask.g": STREAMS | KEPT | {"background work"},
    "WSGI try": STREAMS | KEPT | {"background work"},
    "WSGI close": KEPT,
    "ASGI try": KEPT,
    "FastAPI yield": KEPT,
    "Django signal": KEPT,
    "Django signal, async": set(ENDINGS),
    "poolware, Flask": set(),
    "poolware, Starlette": set(),
    "poolware, Django": set(),
    "poolware, Django async": set(),
}
"""Which endings go wrong; every other is fine."""
each_in_short = [
    ("flask.g", "stream finished"),
    ("WSGI try", "client gone in a stream"),
    ("WSGI close", "params kept and written to"),
    ("ASGI try", "context kept and written to"),
    ("FastAPI yield", "thread that writes on"),
    ("Django signal", "params kept and written to"),
    *([("Django signal, async", "normal")] if django.VERSION < (6,) else []),  # where the table was measured
    *((peer, "params kept and written to") for peer in PEERS if peer.startswith("poolware")),
]


def harm(peer: Peer, ending: str) -> str:
    """Return what goes wrong when requests end so, and the next ones come; nothing if nothing does."""
    with serve(peer.server, peer.app) as running:
        target = Target(peer.column(), running)
        try:
            asyncio.run(visits(target))
            ENDINGS[ending](target)
            asyncio.run(visits(target, 5))
            balanced(settled(running))
        except (Exception, ExceptionGroup) as error:
            wrong = _short(error)
        else:
            wrong = ""
        problems = report(running)["problems"]
        return problems[0] if problems else wrong


def _short(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}".splitlines()[0][:120]


@pytest.fixture(scope="module", autouse=True)
def fewer_looks() -> Iterator[None]:
    """Do not wait long for what never comes back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(looks, "LOOKS", 25)
        yield


@pytest.fixture(scope="module")
def recorded() -> Iterator[dict[str, dict[str, str]]]:
    """What went wrong, by ending and peer: written to the file that ``POOLWARE_PEERS`` names."""
    cells: dict[str, dict[str, str]] = {ending: {} for ending in ENDINGS}
    yield cells
    if path := os.environ.get("POOLWARE_PEERS"):
        Path(path).write_text(
            json.dumps({"targets": list(PEERS), "endings": list(ENDINGS), "cells": cells}, indent=1) + "\n"
        )


@pytest.mark.parametrize(("peer", "ending"), each_in_short)
def test_what_goes_wrong_in_short(peer, ending):
    """H06, H17, H19: one ending of each pattern that loses or leaks, and that poolware does not."""
    goes_wrong = ending in GO_WRONG[peer]
    attempts = (harm(PEERS[peer], ending) for _ in range(3 if goes_wrong else 1))  # some of it is a race
    wrong = next(filter(None, attempts), "")
    assert bool(wrong) == goes_wrong, wrong


@pytest.mark.slow
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("peer", PEERS)
def test_what_goes_wrong(recorded, peer, ending):
    """All of them."""
    wrong = harm(PEERS[peer], ending)
    recorded[ending][peer] = f"failed: {wrong}" if wrong else "passed"
    assert bool(wrong) == (ending in GO_WRONG[peer]), wrong
