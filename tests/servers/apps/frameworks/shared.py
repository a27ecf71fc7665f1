"""What a visit does whatever the framework, and the lifecycle that they share: the one of Django's settings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import django
from apps.control import control
from apps.holders import look
from apps.visit import Visit, VisitContext, Visitor, arrive, watch
from django.conf import settings

settings.configure(
    SECRET_KEY="a test's own",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="apps.frameworks.rest_framework_app",
    INSTALLED_APPS=["django_poolware", "rest_framework"],
    MIDDLEWARE=["django_poolware.middleware.PoolwareMiddleware"],
    POOLWARE={"CONTEXT": "apps.visit.VisitContext"},
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None},
)
django.setup()

from django_poolware import lifecycle  # noqa: E402 - reads the settings

home = watch(lifecycle())
PIECES = 100
"""Of a stream that its client leaves: some applications go on to the end and send to nobody."""


def enter(request: Any, query: Any) -> Visit:
    """Begin the visit of `request`, from whatever object `of` takes."""
    ctx = VisitContext.of(request)
    return arrive(ctx, ctx._carrier, Visitor.named(query))


async def pieces(here: Visit) -> AsyncIterator[bytes]:
    for _ in range(3):
        yield here.account()
        await asyncio.sleep(0)


async def endless(here: Visit) -> AsyncIterator[bytes]:
    try:
        for _ in range(PIECES):
            yield here.account()
            await asyncio.sleep(0.01)
    finally:
        look(here.ctx, "stream closed")


def pieces_sync(here: Visit) -> Iterator[bytes]:
    for _ in range(3):
        yield here.account()


def endless_sync(here: Visit) -> Iterator[bytes]:
    try:
        for _ in range(PIECES):
            yield here.account()
            time.sleep(0.01)
    finally:
        look(here.ctx, "stream closed")


STREAMS = {"stream": pieces, "endless": endless}
STREAMS_SYNC = {"stream": pieces_sync, "endless": endless_sync}


async def linger(here: Visit) -> bytes:
    """Wait for longer than the client stays, and tell how it ended."""
    control.saw("slow began")
    try:
        await asyncio.sleep(0.3)
    except asyncio.CancelledError:
        control.saw("slow ended: CancelledError")
        raise
    look(here.ctx, "slow ended")
    return here.account()


def remember(here: Visit) -> None:
    """Look, behind the answer, at what is left of the request."""
    look(here.ctx, "background")
