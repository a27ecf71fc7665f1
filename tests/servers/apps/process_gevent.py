"""The Flask app with views whose greenlet is struck: killed, or interrupted by a Timeout, wherever it is just then."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import gevent
from apps.control import WSGIControl, control
from apps.process_flask import inner
from apps.process_visit import END, begin
from flask import Response, request

from poolware import ObjectPool
from poolware.web import wsgi
from poolware.web.ending import Ending


class Tool:
    """What takes its time when it is given back, so that others run meanwhile."""

    __slots__ = ("owner",)

    def __init__(self) -> None:
        self.owner = ""

    def clean(self) -> None:
        self.owner = ""
        gevent.sleep(0.002)


tools = ObjectPool(Tool, reset=Tool.clean, max_idle=4, name="tools")
control.pools["tools"] = tools


def _kill(after: float) -> None:
    gevent.spawn_later(after, gevent.getcurrent().kill, block=False)


def _time_out(after: float) -> None:
    gevent.Timeout.start_new(after)


def _fail(after: float) -> None:
    gevent.Timeout.start_new(after, RuntimeError)


STRIKES: dict[str, Callable[[float], None]] = {
    "kill": _kill,  # GreenletExit, which is no Exception
    "timeout": _time_out,  # gevent.Timeout, which is none either
    "error": _fail,
    "never": lambda _after: None,
}


@inner.get("/struck/<strike>/<where>")
def struck(strike: str, where: str) -> Any:
    """Be struck after some milliseconds: in the view, between the pieces of a stream, or while giving back."""
    account = begin("struck", request, request.environ, request.args)
    visitor = request.args["user"]
    if where == "view":
        STRIKES[strike](random.uniform(0, 0.006))
    for _ in range(3):
        _work(visitor)
    answer = account() + END
    if where == "stream":
        return Response(_pieces(account, visitor, strike))
    if where == "end":
        STRIKES[strike](random.uniform(0, 0.006))
    return answer


def _work(visitor: str) -> None:
    """Borrow until the end of the request, and see that nobody else writes to it meanwhile."""
    tool: Tool = request.ctx.borrow(tools)
    if tool.owner:
        control.wrong(f"a tool came as {tool.owner}'s")
    tool.owner = visitor
    gevent.sleep(0.001)
    if tool.owner != visitor:
        control.wrong(f"a tool became {tool.owner}'s in the hands of {visitor}")


def _pieces(account: Callable[[], bytes], visitor: str, strike: str) -> Iterator[bytes]:
    STRIKES[strike](random.uniform(0, 0.006))
    try:
        for _ in range(3):
            yield account()
            gevent.sleep(0.002)
        yield END
    finally:
        account()


def _take_out_the_care_for_interrupts() -> None:
    """Have the request of a view that ends with what is no Exception never end (H18)."""

    def serve(self: Any, environ: wsgi.Environ, start_response: wsgi.StartResponse) -> Any:
        self._begin(environ)
        try:
            result = self.app(environ, start_response)
        except Exception:
            self._finish(environ)
            raise
        return wsgi.ResponseBody(result, Ending(self._finish, environ, getattr(result, "close", None)))

    wsgi.PoolwareMiddleware.__call__ = serve


if os.environ.get("CARELESS"):
    _take_out_the_care_for_interrupts()
app = WSGIControl(inner)
