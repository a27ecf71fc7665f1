"""A pool that is used before the server forks; says who made what it lends, and which process asks."""

from __future__ import annotations

import json
import os
from typing import Any

from poolware import ObjectPool
from poolware.web.wsgi import PoolwareMiddleware


class Maker:
    """Knows the process that it was made in."""

    __slots__ = ("pid",)

    def __init__(self) -> None:
        self.pid = os.getpid()


makers = ObjectPool(Maker, reset=lambda maker: None)
with makers.lease():
    pass


def _serve(_environ: Any, start_response: Any) -> list[bytes]:
    with makers.lease() as maker:
        body = json.dumps([maker.pid, os.getpid()]).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


app = PoolwareMiddleware(_serve)
