"""Flask, with poolware around everything."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from typing import Any

from apps.control import WSGIControl, control
from apps.visit import Visit, VisitContext, Visitor, arrive, lifecycle
from flask import Flask, Response, request

from flask_poolware import Poolware, read_body

LIMIT = 256 * 1024
FILE_SIZE = 1 << 20

inner = Flask(__name__)
Poolware(inner, lifecycle)


@inner.get("/visit/<kind>")
def visit(kind: str) -> Any:
    visitor = Visitor.named(request.args)
    here = arrive(request.ctx, request.environ, visitor)
    time.sleep(visitor.pause)
    match kind:
        case "raise":
            raise RuntimeError(here.account())
        case "leave":
            return Response(pieces(here, visitor, 200))
        case "stream":
            return Response(pieces(here, visitor, 3))
        case "cancel":
            time.sleep(0.03)
    return here.account()


def pieces(here: Visit, visitor: Visitor, count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield here.account()
        time.sleep(visitor.pause)


@inner.get("/hello")
def hello() -> str:
    return "hello"


@inner.get("/unchanged")
def unchanged() -> Any:
    return "", 304


@inner.get("/endless")
def endless() -> Any:
    ctx = VisitContext.of(request)

    def stream() -> Iterator[bytes]:
        ctx.buffer(4096).write(b"kept until the end")
        try:
            for number in range(10_000):
                yield f"{number}\n".encode()
                time.sleep(0.01)
        finally:
            control.saw(f"stream closed with {type(ctx).__name__}")

    return Response(stream())


@inner.get("/slow")
def slow() -> str:
    ctx = VisitContext.of(request)
    ctx.tenant = "patient"
    control.saw("slow began")
    time.sleep(float(request.args.get("seconds", "0.5")))
    control.saw(f"slow ended as {ctx.tenant}")
    return ctx.tenant


@inner.post("/upload")
def upload() -> str:
    return f"{len(read_body(request, limit=LIMIT))}"


@inner.get("/file")
def file() -> Any:
    """A file given to the server's own file wrapper, which keeps it open and closes it."""
    VisitContext.of(request).tenant = "filed"
    content = tempfile.TemporaryFile()  # noqa: SIM115 - the wrapper closes it
    content.write(bytes(range(256)) * (FILE_SIZE // 256))
    content.seek(0)
    wrapper = request.environ["wsgi.file_wrapper"]
    return Response(wrapper(content), headers={"Content-Length": str(FILE_SIZE)}, direct_passthrough=True)


@inner.get("/wedged")
def wedged() -> Any:
    """A response whose iterable gives up half way."""

    def stream() -> Iterator[bytes]:
        yield b"x" * 1000
        msg = "half way"
        raise RuntimeError(msg)

    return Response(stream(), headers={"Content-Length": "2000"})


app = WSGIControl(inner)
