"""Flask: requests that are in flight for as long as the test wants them to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apps.control import WSGIControl
from apps.process_visit import BARE, END, LIMIT, begin, lifecycle, wait
from flask import Flask, Response, request
from gevent.monkey import get_original

from flask_poolware import Poolware, read_body

inner = Flask(__name__)
if not BARE:
    Poolware(inner, lifecycle)


@inner.get("/brief")
def brief() -> Any:
    return begin("brief", request, request.environ, request.args)() + END


@inner.get("/slow")
def slow() -> Any:
    account = begin("slow", request, request.environ, request.args)
    wait()
    return account() + END


@inner.get("/stuck")
def stuck() -> Any:
    """Hold up everybody else: nothing that gevent has patched."""
    account = begin("stuck", request, request.environ, request.args)
    wait(get_original("time", "sleep"))
    return account() + END


@inner.get("/stream")
def stream() -> Any:
    account = begin("stream", request, request.environ, request.args)

    def pieces() -> Iterator[bytes]:
        yield account()
        wait()
        yield account() + END

    return Response(pieces())


@inner.post("/upload")
def upload() -> Any:
    account = begin("upload", request, request.environ, request.args)
    body = request.get_data() if BARE else read_body(request, limit=LIMIT)
    return account() + f" {len(body)}".encode() + END


app = WSGIControl(inner)
