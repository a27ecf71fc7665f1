"""Django, with poolware's middleware behind one that counts; ``wsgi`` and ``asgi`` are the two entrances."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import django
from apps.branches import ASGIBranches, WSGIBranches
from apps.control import ASGIControl, WSGIControl, control
from apps.holders import ACTS, SECONDS, holders, look
from apps.visit import Visit, VisitContext, Visitor, arrive, watch
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.signals import got_request_exception
from django.core.wsgi import get_wsgi_application
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotModified,
    StreamingHttpResponse,
)
from django.urls import path
from django.utils.decorators import sync_and_async_middleware

from django_poolware import lifecycle, read_body
from poolware.context.carrier import carrier_of
from poolware.web.asgi import PoolwareMiddleware as ASGIPoolware
from poolware.web.wsgi import PoolwareMiddleware as WSGIPoolware

LIMIT = 256 * 1024
PIECE, PIECES = 32 * 1024, 192
"""A big answer: bytes at a time, and how often; more than all buffers on the way hold."""
MIDDLEWARE = "django_poolware.middleware.PoolwareMiddleware"
_tasks: set[asyncio.Task[None]] = set()


def state_of(request: HttpRequest) -> VisitContext:
    return VisitContext.of(request)


def body_of(request: HttpRequest) -> Any:
    return read_body(request, limit=LIMIT)


@sync_and_async_middleware
def counting(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Count what reaches poolware: Django's handlers may end a request before its first middleware."""

    async def count_async(request: HttpRequest) -> Any:
        control.count()
        return await get_response(request)

    def count(request: HttpRequest) -> Any:
        control.count()
        return get_response(request)

    return count_async if iscoroutinefunction(get_response) else count


@sync_and_async_middleware
def passing(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """A middleware that looks at every response; there is one on either side of poolware's."""

    def mark(response: Any) -> Any:
        response.headers["X-Passed"] = f"{response.headers.get('X-Passed', '')} yes"
        return response

    async def pass_async(request: HttpRequest) -> Any:
        return mark(await get_response(request))

    def pass_on(request: HttpRequest) -> Any:
        return mark(get_response(request))

    return pass_async if iscoroutinefunction(get_response) else pass_on


def enter(request: HttpRequest) -> tuple[Visit, Visitor]:
    visitor = Visitor.named(request.GET)
    return arrive(state_of(request), carrier_of(request), visitor), visitor


# --- the ways a visit can go, for views of both kinds -----------------------------------------------------------------


def refuse(_request: HttpRequest, here: Visit) -> Any:
    raise Http404(here.account().decode())


def nothing(_request: HttpRequest, _here: Visit) -> Any:
    return HttpResponseNotModified()


def receive_upload(request: HttpRequest, here: Visit) -> Any:
    body = body_of(request)
    return HttpResponse(here.account() + b" %d" % len(body))


def behind(request: HttpRequest, here: Visit) -> Any:
    def later() -> None:
        look(here.ctx, "background")
        if "fail" in request.GET:
            msg = "in the background"
            raise RuntimeError(msg)

    response = HttpResponse(here.account())
    response._resource_closers.append(later)
    return response


def track(_request: HttpRequest, here: Visit) -> Any:
    """Fail with the state among the local variables."""
    ctx = here.ctx
    ctx.params.clear()  # held the secret, in a field that is not declared sensitive
    raise RuntimeError(ctx.tenant)


def hint(request: HttpRequest, here: Visit) -> Any:
    """Send 103 as gunicorn has it."""
    request.environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload")])
    look(here.ctx, "sent")
    return HttpResponse(here.account())


def send_file(_request: HttpRequest, here: Visit) -> Any:
    """A file, for which Django uses the server's ``wsgi.file_wrapper``."""
    response = FileResponse(Path(__file__).open("rb"))  # noqa: SIM115 - the response closes it
    response._resource_closers.append(lambda: look(here.ctx, "sent"))
    return response


def plain(request: HttpRequest, here: Visit) -> Any:
    response = HttpResponse(here.account())
    kind = request.resolver_match.kwargs["kind"]
    if kind in ACTS:
        ACTS[kind](here, request.GET, request)
    return response


def fail(_request: HttpRequest, here: Visit) -> Any:
    raise RuntimeError(here.account())


def much(here: Visit) -> bytes:
    here.account()
    return f"{here.ctx.user} {here.ctx.tenant} ".encode().ljust(64) * (PIECE // 64)


LENGTH = {"Content-Length": "20000"}
EITHER: dict[str, Callable[[HttpRequest, Visit], Any]] = {
    "raise": fail,
    "refuse": refuse,
    "nothing": nothing,
    "behind": behind,
    "track": track,
    "hint": hint,
    "send-file": send_file,
}


# --- views in threads -------------------------------------------------------------------------------------------------


def visit(request: HttpRequest, kind: str) -> Any:
    here, visitor = enter(request)
    if kind in STREAMS:
        return StreamingHttpResponse(STREAMS[kind](here, visitor), headers=LENGTH if kind in BROKEN else None)
    match kind:
        case "upload":
            return receive_upload(request, here)
        case "linger":
            return linger(here, visitor)
        case "abandon" | "abandon-and-fail":
            response = StreamingHttpResponse(pieces(here, visitor, 3))
            if kind == "abandon":
                return HttpResponse(here.account())
            raise RuntimeError(f"{response}")
    time.sleep(visitor.pause)
    return EITHER.get(kind, plain)(request, here)


def linger(here: Visit, visitor: Visitor) -> Any:
    """Take some time before the answer, and tell how it ended."""
    control.saw("slow began")
    time.sleep(visitor.pause)
    look(here.ctx, "slow ended")
    return HttpResponse(here.account())


def pieces(here: Visit, visitor: Visitor, count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield here.account()
        time.sleep(visitor.pause)


def go_on(here: Visit, _visitor: Visitor) -> Iterator[bytes]:
    try:
        for _ in range(2000):
            yield here.account()
            time.sleep(0.01)
    finally:
        look(here.ctx, "stream closed")


def give_up(here: Visit, _visitor: Visitor) -> Iterator[bytes]:
    yield here.account()
    msg = "half way"
    raise RuntimeError(msg)


BROKEN = {"wedge", "break-off"}
STREAMS: dict[str, Callable[[Visit, Visitor], Iterator[bytes]]] = {
    "leave": lambda here, visitor: pieces(here, visitor, 200),
    "stream": lambda here, visitor: pieces(here, visitor, 3),
    "big": lambda here, _visitor: (much(here) for _ in range(PIECES)),
    "endless": go_on,
    "wedge": give_up,
    "break-off": give_up,
}


# --- views on the event loop ------------------------------------------------------------------------------------------


async def visit_async(request: HttpRequest, kind: str) -> Any:
    here, visitor = enter(request)
    if kind in STREAMS_ASYNC:
        return StreamingHttpResponse(STREAMS_ASYNC[kind](here, visitor), headers=LENGTH if kind in BROKEN else None)
    match kind:
        case "upload":
            return receive_upload(request, here)
        case "cancel":
            await asyncio.sleep(10)
        case "linger":
            return await linger_async(here, visitor)
        case "forget":
            return forget(here)
        case "abandon" | "abandon-and-fail":
            response = StreamingHttpResponse(pieces_async(here, visitor, 3))
            if kind == "abandon":
                return HttpResponse(here.account())
            raise RuntimeError(f"{response}")
    await asyncio.sleep(visitor.pause)
    return EITHER.get(kind, plain)(request, here)


async def linger_async(here: Visit, visitor: Visitor) -> Any:
    control.saw("slow began")
    try:
        await asyncio.sleep(visitor.pause)
    except BaseException as error:
        control.saw(f"slow ended: {type(error).__name__}")
        raise
    look(here.ctx, "slow ended")
    return HttpResponse(here.account())


def forget(here: Visit) -> Any:
    """Leave a task behind that keeps the state."""

    async def stay(state: Any) -> None:
        for _ in range(SECONDS * 100):
            if holders.awake:
                break
            await asyncio.sleep(0.01)
        look(state, "task")

    task = asyncio.create_task(stay(here.ctx))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return HttpResponse(here.account())


async def pieces_async(here: Visit, visitor: Visitor, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield here.account()
        await asyncio.sleep(visitor.pause)


async def go_on_async(here: Visit, _visitor: Visitor) -> AsyncIterator[bytes]:
    try:
        for _ in range(2000):
            yield here.account()
            await asyncio.sleep(0.01)
    finally:
        look(here.ctx, "stream closed")


async def give_up_async(here: Visit, _visitor: Visitor) -> AsyncIterator[bytes]:
    yield here.account()
    msg = "half way"
    raise RuntimeError(msg)


async def much_async(here: Visit, _visitor: Visitor) -> AsyncIterator[bytes]:
    for _ in range(PIECES):
        yield much(here)


STREAMS_ASYNC: dict[str, Callable[[Visit, Visitor], AsyncIterator[bytes]]] = {
    "leave": lambda here, visitor: pieces_async(here, visitor, 200),
    "stream": lambda here, visitor: pieces_async(here, visitor, 3),
    "big": much_async,
    "endless": go_on_async,
    "wedge": give_up_async,
    "break-off": give_up_async,
}


def hello(_request: HttpRequest) -> Any:
    return HttpResponse("hello")


urlpatterns = [
    path("visit/<kind>", visit),
    path("async/visit/<kind>", visit_async),
    path("sync/visit/<kind>", visit),
    path("hello", hello),
]
settings.configure(
    SECRET_KEY="a test's own",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django_poolware"],
    MIDDLEWARE=[
        f"{__name__}.counting",
        f"{__name__}.passing",
        "django.middleware.gzip.GZipMiddleware",
        MIDDLEWARE,
        f"{__name__}.passing",
    ],
    POOLWARE={"CONTEXT": "apps.visit.VisitContext"},
)
django.setup()
watch(lifecycle())


# --- the same application in other arrangements -----------------------------------------------------------------------


def report(request: HttpRequest, **_: Any) -> None:
    from apps.trackers import sentry_sdk

    if request.path.startswith("/tracked"):
        sentry_sdk.capture_exception()


def observed(by: str, application: Any) -> Any:
    """Put Sentry or OpenTelemetry around an application."""
    from apps import trackers

    got_request_exception.connect(report)
    return getattr(trackers, by)(application)


def _nothing() -> None:
    """The middleware counts."""


UNCHANGED = {"/wrapped", "/compressed"}
WSGI_BRANCHES = {
    **dict.fromkeys(UNCHANGED, get_wsgi_application),
    "/twice": lambda: WSGIPoolware(get_wsgi_application(), lifecycle()),
    "/traced": lambda: observed("traced_wsgi", get_wsgi_application()),
    "/tracked": lambda: observed("tracked_wsgi", get_wsgi_application()),
}
ASGI_BRANCHES = {
    **dict.fromkeys(UNCHANGED, get_asgi_application),
    "/twice": lambda: ASGIPoolware(get_asgi_application(), lifecycle()),
    "/traced": lambda: observed("traced_asgi", get_asgi_application()),
    "/tracked": lambda: observed("tracked_asgi", get_asgi_application()),
}
wsgi = WSGIControl(WSGIBranches(get_wsgi_application(), WSGI_BRANCHES), _nothing)
asgi = ASGIControl(ASGIBranches(get_asgi_application(), ASGI_BRANCHES), _nothing)
