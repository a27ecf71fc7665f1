"""Flask for the chaos."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from apps.chaos_visit import LIMIT, ChaosContext, Visit, Visitor, arrive, keep_context, keep_part, watch
from apps.control import WSGIControl
from flask import Flask, Response, request

from flask_poolware import Poolware, read_body
from poolware import BufferPool, Lifecycle

inner = Flask(__name__)
Poolware(inner, watch(Lifecycle(ChaosContext, buffers=BufferPool(name="chaos"))))


@inner.route("/visit/<kind>", methods=["GET", "POST"])
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
        case "slow":
            return here.big().getvalue()
        case "upload":
            body = read_body(request, limit=LIMIT)
            return here.account() + b" %d" % len(body)
        case "linger":
            keep_context(here, visitor)
        case "parts":
            keep_part(here, visitor)
        case "cancel":
            time.sleep(0.03)
    return here.account()


def pieces(here: Visit, visitor: Visitor, count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield here.account()
        time.sleep(visitor.pause)


app = WSGIControl(inner)
