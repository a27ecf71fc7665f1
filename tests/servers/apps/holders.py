"""What keeps hold of a request's state, or of a part of it, beyond the end: the same for every framework."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from apps.control import control
from apps.visit import Visit

LATE = "too late"
SECONDS = 10
"""Nobody holds on for longer, whatever the test does."""

RACE_SECONDS = 0.05
"""So long a thread writes as often as it can: while its request ends, and the next ones begin."""

PARTS: dict[str, Callable[[Visit, Any], Any]] = {
    "request": lambda _here, request: request,
    "context": lambda here, _request: here.ctx,
    "params": lambda here, _request: here.ctx.params,
    "roles": lambda here, _request: here.ctx.roles,
    "secret": lambda here, _request: here.ctx.token,
    "vouched": lambda here, _request: here.ctx.serial,
    "buffer": lambda here, _request: here.buffer,
    "view": lambda here, _request: here.buffer.view(),
    "borrowed": lambda here, _request: here.notebook,
}


def _overwrite(view: memoryview) -> None:
    view[:] = LATE.encode() * (len(view) // len(LATE)) + bytes(len(view) % len(LATE))


WRITES: dict[str, Callable[[Any], object]] = {
    "request": lambda request: setattr(request.ctx, "tenant", LATE),
    "context": lambda ctx: setattr(ctx, "tenant", LATE),
    "params": lambda params: params.update(late=LATE),
    "roles": lambda roles: roles.add(LATE),
    "secret": lambda secret: secret.set(LATE),
    "vouched": lambda serial: setattr(serial, "number", -1),
    "buffer": lambda buffer: buffer.write(LATE.encode()),
    "view": _overwrite,
    "borrowed": lambda notebook: notebook.lines.append(LATE),
}


class Holders:
    """Everything that is held, and how it is written to and let go of again."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, Any]] = []
        self.exceptions: list[BaseException] = []
        self.boxes: list[list[Any]] = []
        self.awake = False
        self.writers: list[Writer] = []

    def keep(self, here: Visit, query: Mapping[str, str], request: Any) -> None:
        part = query["part"]
        self.kept.append((part, PARTS[part](here, request)))

    def write_late(self) -> list[str]:
        """Write through all that is kept; return what came of each."""
        return [_outcome(WRITES[part], thing) for part, thing in self.kept]

    def ambient(self, here: Visit, *_: Any) -> None:
        """Keep the state in a context variable, and see what the request found there."""
        found = AMBIENT.get()
        if found and found[0] is here.ctx:
            control.wrong("a context variable has this request's own state before anybody put it there")
        control.saw(f"the variable: {_outcome(WRITES['context'], found[0]) if found else 'empty'}")
        box = [here.ctx]
        self.boxes.append(box)
        AMBIENT.set(box)

    def write_on(self, here: Visit, *_: Any) -> None:
        """Have a thread write to the state, on and on."""
        self.writers.append(Writer(here.ctx))

    def stop_writing(self) -> dict[str, int]:
        """End the threads; return how often each outcome came of their writing."""
        outcomes: Counter[str] = Counter()
        while self.writers:
            outcomes += self.writers.pop().stop()
        return outcomes

    def let_go(self) -> None:
        self.awake = False
        for box in self.boxes:
            box.clear()
        for held in (self.boxes, self.kept, self.exceptions):
            held.clear()

    def wake(self) -> None:
        """Let tasks that linger end."""
        self.awake = True


class Writer:
    """A thread that writes to the state of a request that ends meanwhile."""

    def __init__(self, state: Any) -> None:
        self.stopped = False
        self.outcomes: Counter[str] = Counter()
        self.thread = threading.Thread(target=self._run, args=(state,), daemon=True)
        self.thread.start()

    def _run(self, state: Any) -> None:
        begun = time.monotonic()
        while not self.stopped and (spent := time.monotonic() - begun) < SECONDS:
            self.outcomes[_outcome(_write_everywhere, state)] += 1
            time.sleep(0 if spent < RACE_SECONDS else 0.002)

    def stop(self) -> Counter[str]:
        self.stopped = True
        self.thread.join(SECONDS)
        return self.outcomes


def _write_everywhere(state: Any) -> None:
    state.attempts, state.tenant, state.user = -1, LATE, LATE
    state.params["late"] = LATE
    state.roles.add(LATE)
    state.token = LATE


def _outcome(write: Callable[[Any], object], thing: Any) -> str:
    try:
        write(thing)
    except Exception as error:
        return type(error).__name__
    return "written"


def look(state: Any, who: str) -> None:
    """Tell what `who` finds in a state that may have been released."""
    try:
        control.saw(f"{who}: {state.tenant}")
    except Exception as error:
        control.saw(f"{who}: {type(error).__name__}")


AMBIENT: ContextVar[list[Any] | None] = ContextVar("AMBIENT", default=None)
holders = Holders()
ACTS: dict[str, Callable[[Visit, Mapping[str, str], Any], None]] = {
    "keep": holders.keep,
    "ambient": holders.ambient,
    "write-on": holders.write_on,
}
"""Visits that do this after they have given their account."""
control.actions |= {
    "write-late": holders.write_late,
    "stop-writing": holders.stop_writing,
    "let-go": holders.let_go,
    "wake": holders.wake,
}
