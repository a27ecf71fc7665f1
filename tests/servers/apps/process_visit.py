"""What the process apps share: requests that wait in the middle, for the test, and tell it so in a folder of its own.

A server that is being stopped can be asked nothing, so everything goes through the folder that ``LAST_REPORTS`` names.
With ``BARE`` the same app runs without poolware: what a server does by itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from multiprocessing.util import Finalize, register_after_fork
from pathlib import Path
from typing import Any

import anyio
from apps.control import control
from apps.visit import Visitor, arrive, lifecycle

from poolware import BufferPool

FOLDER = Path(os.environ["LAST_REPORTS"])
GATE = FOLDER / "gate"
BARE = bool(os.environ.get("BARE"))
LIMIT = 256 * 1024
END = b" end"
PATIENCE = 10
"""Seconds after which a request waits no longer, so that no process is left behind by a test that failed."""


def note(event: str) -> None:
    """Tell the test."""
    with (FOLDER / "notes.txt").open("a") as notes:
        notes.write(f"{os.getpid()} {event}\n")


def begin(kind: str, request: Any, carrier: object, query: Mapping[str, str]) -> Callable[[], bytes]:
    """Arrive, say so, and return what tells the visitor's own data from the context, at any time."""
    visitor = Visitor.named(query)
    account = _own(visitor) if BARE else arrive(request.ctx, carrier, visitor).account
    note(kind if BARE else f"{kind} {id(request.ctx)}")
    return account


def _own(visitor: Visitor) -> Callable[[], bytes]:
    return f"{visitor.user} {visitor.secret} {visitor.tenant}".encode


def wait(sleep: Callable[[float], object] | None = None) -> None:
    """Wait until the test opens the gate."""
    until = time.monotonic() + PATIENCE
    while not GATE.exists() and time.monotonic() < until:
        (sleep or time.sleep)(0.02)


async def wait_async() -> None:
    """The same without holding up others, on asyncio and trio."""
    until = time.monotonic() + PATIENCE
    while not GATE.exists() and time.monotonic() < until:  # noqa: ASYNC110 - a file opens the gate, for all workers
        await anyio.sleep(0.02)


def _note_what_rests() -> None:
    lent = [lifecycle.pool.acquire() for _ in range(lifecycle.pool.get_stats().idle)]
    note(f"rests {' '.join(str(id(ctx)) for ctx in lent)}")
    while lent:
        lifecycle.pool.release(lent.pop())


def _report_at_the_end_of_multiprocessing(told: Any) -> None:
    """Have a process of multiprocessing, which ends without atexit, leave its report all the same."""
    Finalize(None, told.leave_a_report, exitpriority=1)


def _take_out_the_silence() -> None:
    """Have a process that ends speak of each buffer that it drops (H35)."""
    BufferPool._abandoned.__defaults__ = (bool,)  # False, and no function of this module, which it would keep


__all__ = ["BARE", "END", "LIMIT", "begin", "lifecycle", "note", "wait", "wait_async"]
note("up")
_report_at_the_end_of_multiprocessing(control)
register_after_fork(control, _report_at_the_end_of_multiprocessing)
if os.environ.get("PREWARM"):
    _note_what_rests()
if os.environ.get("KEEP"):
    kept = (lifecycle.pool.acquire(), lifecycle.buffers.acquire(100))
if os.environ.get("LOUD"):
    _take_out_the_silence()
