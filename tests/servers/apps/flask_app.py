"""Flask, with poolware around everything."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from apps.branches import Gzip, Passing, WSGIBranches
from apps.control import WSGIControl, control
from apps.holders import ACTS, look
from apps.visit import Visit, VisitContext, Visitor, arrive, lifecycle
from flask import Blueprint, Flask, Response, abort, got_request_exception, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from flask_poolware import Poolware, read_body

LIMIT = 256 * 1024
PIECE, PIECES = 32 * 1024, 192
"""A big answer: bytes at a time, and how often; more than all buffers on the way hold."""
FILE_SIZE = 1 << 20
views = Blueprint("views", __name__)


def install(app: Flask) -> Flask:
    Poolware(app, lifecycle)
    return app


def state_of(request: Any) -> VisitContext:
    return VisitContext.of(request)


def body_of(request: Any) -> Any:
    return read_body(request, limit=LIMIT)


def enter() -> tuple[Visit, Visitor]:
    visitor = Visitor.named(request.args)
    return arrive(state_of(request), request.environ, visitor), visitor


# --- the ways a visit can go ------------------------------------------------------------------------------------------


@views.route("/visit/<kind>", methods=["GET", "POST"])
def visit(kind: str) -> Any:
    here, visitor = enter()
    if kind in KINDS:
        return KINDS[kind](here, visitor)
    time.sleep(visitor.pause)
    answer = here.account()
    if kind in ACTS:
        ACTS[kind](here, request.args, request._get_current_object())
    return answer


def fail(here: Visit, visitor: Visitor) -> Any:
    time.sleep(visitor.pause)
    raise RuntimeError(here.account())


def refuse(here: Visit, _visitor: Visitor) -> Any:
    abort(418, here.account().decode())


def leave(here: Visit, visitor: Visitor) -> Any:
    return Response(pieces(here, visitor, 200))


def stream(here: Visit, visitor: Visitor) -> Any:
    return Response(pieces(here, visitor, 3))


def pieces(here: Visit, visitor: Visitor, count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield here.account()
        time.sleep(visitor.pause)


def cancel(here: Visit, visitor: Visitor) -> Any:
    time.sleep(visitor.pause + 0.03)
    return here.account()


def endless(here: Visit, _visitor: Visitor) -> Any:
    def go_on() -> Iterator[bytes]:
        try:
            for _ in range(2000):
                yield here.account()
                time.sleep(0.01)
        finally:
            look(here.ctx, "stream closed")

    return Response(go_on())


def wedge(here: Visit, _visitor: Visitor) -> Any:
    def give_up() -> Iterator[bytes]:
        yield here.account()
        msg = "half way"
        raise RuntimeError(msg)

    return Response(give_up(), headers={"Content-Length": "20000"})


def big(here: Visit, _visitor: Visitor) -> Any:
    def much() -> Iterator[bytes]:
        for _ in range(PIECES):
            yield f"{here.ctx.user} {here.ctx.tenant} ".encode().ljust(64) * (PIECE // 64)
            here.account()

    return Response(much())


def nothing(_here: Visit, _visitor: Visitor) -> Any:
    return "", 304


def abandon(here: Visit, visitor: Visitor) -> Any:
    Response(pieces(here, visitor, 3))
    return here.account()


def abandon_and_fail(here: Visit, visitor: Visitor) -> Any:
    response = Response(pieces(here, visitor, 3))
    raise RuntimeError(f"{response}")


class BrokenResponse(Response):
    """Begins with PEP 3333's ``write``, and fails."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "20000")])
        write(self.get_data())
        msg = "after the headers"
        raise RuntimeError(msg)


def break_off(here: Visit, _visitor: Visitor) -> Any:
    return BrokenResponse(here.account())


def linger(here: Visit, visitor: Visitor) -> Any:
    """Take some time before the answer, and tell how it ended."""
    control.saw("slow began")
    time.sleep(visitor.pause)
    look(here.ctx, "slow ended")
    return here.account()


def receive_upload(here: Visit, _visitor: Visitor) -> Any:
    body = body_of(request)
    return here.account() + b" %d" % len(body)


def behind(here: Visit, _visitor: Visitor) -> Any:
    broken = "fail" in request.args

    def later() -> None:
        look(here.ctx, "background")
        if broken:
            msg = "in the background"
            raise RuntimeError(msg)

    response = Response(here.account())
    response.call_on_close(later)
    return response


def track(here: Visit, _visitor: Visitor) -> Any:
    """Fail with the state among the local variables."""
    ctx = here.ctx
    ctx.params.clear()  # held the secret, in a field that is not declared sensitive
    raise RuntimeError(ctx.tenant)


def hint(here: Visit, _visitor: Visitor) -> Any:
    """Send 103 as gunicorn has it."""
    request.environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload")])
    look(here.ctx, "sent")
    return here.account()


class Watched(io.FileIO):
    """A temporary file that tells when it is closed."""

    def __init__(self, closed: Callable[[], None]) -> None:
        descriptor, name = tempfile.mkstemp()
        Path(name).unlink()
        super().__init__(descriptor, "r+")
        self._closed = closed

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._closed()


def send_file(here: Visit, _visitor: Visitor) -> Any:
    """A file given to the server's own file wrapper, which keeps it open and closes it."""
    content = Watched(lambda: look(here.ctx, "sent"))
    content.write(bytes(range(256)) * (FILE_SIZE // 256))
    content.seek(0)
    wrapper = request.environ["wsgi.file_wrapper"]
    return Response(wrapper(content), headers={"Content-Length": str(FILE_SIZE)}, direct_passthrough=True)


KINDS: dict[str, Callable[[Visit, Visitor], Any]] = {
    "raise": fail,
    "refuse": refuse,
    "leave": leave,
    "stream": stream,
    "cancel": cancel,
    "endless": endless,
    "wedge": wedge,
    "big": big,
    "nothing": nothing,
    "abandon": abandon,
    "abandon-and-fail": abandon_and_fail,
    "break-off": break_off,
    "linger": linger,
    "upload": receive_upload,
    "behind": behind,
    "track": track,
    "hint": hint,
    "send-file": send_file,
}


@views.get("/hello")
def hello() -> str:
    return "hello"


# --- the same application in other arrangements -----------------------------------------------------------------------


def make(wrap: Callable[[Any], Any] | None = None) -> Flask:
    app = Flask(__name__)
    app.register_blueprint(views)
    if wrap is not None:
        app.wsgi_app = wrap(app.wsgi_app)
    return app


def traced() -> Any:
    from apps.trackers import traced_wsgi

    return traced_wsgi(install(make(traced_wsgi)))


def tracked() -> Any:
    from apps.trackers import sentry_sdk, tracked_wsgi

    failing = install(make())

    def report(_app: Flask, exception: BaseException) -> None:
        sentry_sdk.capture_exception(exception)

    got_request_exception.connect(report, failing, weak=False)
    return tracked_wsgi(failing)


BRANCHES = {
    "/wrapped": lambda: Passing(install(make(Passing))),
    "/compressed": lambda: Gzip(install(make())),
    "/nested": lambda: install(make(lambda app: DispatcherMiddleware(app, {"/deep": make()}))),
    "/twice": lambda: install(make(lambda _app: install(make()))),
    "/traced": traced,
    "/tracked": tracked,
}
inner = install(make())
app = WSGIControl(WSGIBranches(inner, BRANCHES))
