"""Both twins of the hot path do the same: random programs, run on either, tell the same story."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from twins import COMPILED, on

from poolware import Lifecycle, RequestContext, SecretField, field, secret
from poolware._core.cycle import KEY

pytestmark = COMPILED


class Boom(Exception):
    """What hooks raise."""


class Stop(BaseException):
    """What interrupts them."""


RAISING: dict[str, type[BaseException]] = {}
"""What each hook raises at its next call."""


def hook(name: str) -> None:
    error = RAISING.pop(name, None)
    if error is not None:
        raise error


def made() -> list[Any]:
    hook("factory")
    return []


def emptied(part: list[Any]) -> None:
    hook("reset")
    part.clear()


class Rich(RequestContext):
    """A field of every kind."""

    note: Any = None
    size: Any = 7
    rows: list[Any] = field(factory=list)
    names: set[Any] = field(factory=set)
    rebuilt: Any = field(factory=made)
    raw: Any = field(factory=bytearray, sensitive=True)
    hidden: Any = field(default="x", sensitive=True)
    listed: list[Any] = field(factory=list, sensitive=True)
    token: SecretField = secret(capacity=4)


class Vouching(Rich):
    """One that keeps a part on its author's word, and so is sealed before its reset."""

    kept: Any = field(factory=made, reset=emptied)


class Retiring:
    """A pool that does something in the middle of a context's reset."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.action = action

    def acquire(self) -> object:
        return self

    def release(self, _obj: object) -> None:
        hook("give_back")
        self.action()


class Odd(dict[str, Any]):
    """A carrier that is no plain dict."""


class Run:
    """A program on one twin, and what could be seen of it."""

    def __init__(self, cls: type[Any], max_idle: int) -> None:
        self.lifecycle: Any = Lifecycle(cls, max_idle=max_idle, max_quarantine=2)
        self.pool = self.lifecycle.pool
        self.cls = cls
        self.mine: list[Any] = []
        self.carriers: list[Any] = []
        self.parts: list[Any] = []
        self.seen: list[Any] = []

    def step(self, name: str, number: int) -> None:
        try:
            self.seen.append((name, getattr(self, name)(number)))
        except (Exception, Stop) as error:
            self.seen.append((name, type(error), str(error)))

    def one(self, number: int) -> Any:
        return self.mine[number % len(self.mine)]

    def describe(self, ctx: Any) -> Any:
        names = [name for name in type(ctx).__poolware_open__ if name != "started_at"]
        values = [repr(getattr(ctx, name, "deleted")) for name in names]
        return type(ctx).__name__, values, [getattr(ctx, "hidden", "deleted"), bool(ctx.token), ctx.raw]

    # --- steps --------------------------------------------------------------------------------------------------------

    def acquire(self, _number: int) -> Any:
        self.mine.append(self.pool.acquire())
        return self.describe(self.mine[-1])

    def begin(self, number: int) -> Any:
        carrier = ({"type": "http", "method": "GET", "path": "/"}, Odd(), {KEY: None}, 3)[number % 4]
        ctx = self.lifecycle.begin(carrier)
        self.carriers.append(carrier)
        return self.describe(ctx), carrier[KEY] is ctx, ctx.started_at > 0

    def finish(self, number: int) -> Any:
        carrier = self.carriers[number % len(self.carriers)] if self.carriers else {}
        return self.lifecycle.finish(carrier), KEY in carrier

    def finish_held(self, number: int) -> Any:
        carrier = self.carriers[number % len(self.carriers)]
        self.mine.append(carrier[KEY])
        return self.lifecycle.finish(carrier)

    def release(self, number: int) -> Any:
        return self.pool.release(self.mine.pop(number % len(self.mine)))

    def release_and_hold(self, number: int) -> Any:
        ctx = self.one(number)
        return self.pool.release(ctx), repr(ctx)

    def release_in_variable(self, number: int) -> Any:
        ctx = self.mine.pop(number % len(self.mine))
        return self.pool.release(ctx), repr(ctx)

    def write(self, number: int) -> Any:
        ctx, value = self.one(number), (number, "text", [number], None)[number % 4]
        ctx.note = ctx.hidden = value
        ctx.rows.append(value)
        ctx.listed.append(value)
        ctx.names.add(number)
        ctx.params["k"] = value
        ctx.raw += b"raw"
        ctx.token = "a longer secret"
        return self.describe(ctx)

    def replace(self, number: int) -> Any:
        ctx = self.one(number)
        name = ("rows", "names", "params", "raw", "listed", "rebuilt", "size", "kept")[number % 8]
        setattr(ctx, name, ([], {}, set(), None, bytearray(b"x"), (1,))[number % 6])
        return self.describe(ctx)

    def delete(self, number: int) -> Any:
        ctx = self.one(number)
        delattr(ctx, ("note", "rows", "hidden", "listed", "raw", "rebuilt", "user", "kept")[number % 8])
        return self.describe(ctx)

    def keep_part(self, number: int) -> Any:
        name = ("rows", "names", "params", "raw", "kept")[number % 5]
        self.parts.append(getattr(self.one(number), name))

    def use_part(self, number: int) -> Any:
        part = self.parts[number % len(self.parts)]
        part.clear()
        return repr(part)

    def let_go(self, number: int) -> Any:
        del self.parts[number % 3 :], self.mine[number % 4 :], self.carriers[number % 5 :]

    def borrow(self, number: int) -> Any:
        actions = (
            lambda: self.pool.release(self.pool.acquire()),
            self.pool.clear,
            lambda: gc.collect(0),
            self.pool.get_stats,
        )
        self.one(number).borrow(Retiring(actions[number % 4]))

    def trouble(self, number: int) -> Any:
        RAISING[("factory", "reset", "give_back")[number % 3]] = (Boom, Stop)[number % 2]

    def foreign(self, number: int) -> Any:
        return self.pool.release((None, self.cls(), 3, [], RequestContext())[number % 5])

    def clear(self, _number: int) -> Any:
        self.pool.clear()

    def prewarm(self, number: int) -> Any:
        self.pool.prewarm(number % 4)

    def statistics(self, _number: int) -> Any:
        return asdict(self.pool.get_stats()), len(self.pool._idle), len(self.pool._kind.lent)

    def change_class(self, number: int) -> Any:
        ctx = self.one(number)
        ctx.__class__ = type(ctx).__poolware_detached__


STEPS = [name for name in vars(Run) if not name.startswith("_") and name not in {"step", "one", "describe"}]
COMMON = ["acquire", "begin", "finish", "release", "write", "release_in_variable", "release_and_hold"]
PROGRAMS = st.lists(st.tuples(st.sampled_from(STEPS + 2 * COMMON), st.integers(0, 240)), max_size=40)


def story(twin: str, cls: type[Any], max_idle: int, program: list[tuple[str, int]]) -> list[Any]:
    RAISING.clear()
    with on(twin):
        run = Run(cls, max_idle)
    for name, number in program:
        run.step(name, number)
    run.step("statistics", 0)
    RAISING.clear()
    run.let_go(0)
    gc.collect()
    run.step("statistics", 0)
    rests = Rich.__poolware_plan__.members
    assert all(rests["note"].__get__(ctx) is None for ctx in run.pool._idle)
    return run.seen


@given(cls=st.sampled_from([Rich, Vouching]), max_idle=st.sampled_from([0, 1, 3, 1024]), program=PROGRAMS)
@example(cls=Rich, max_idle=3, program=[(name, number) for number in range(8) for name in [*COMMON, *STEPS]])
@example(cls=Vouching, max_idle=3, program=[(name, number) for number in range(8) for name in [*COMMON, *STEPS]])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_they_tell_the_same_story(cls, max_idle, program):
    logging.disable(logging.CRITICAL)
    try:
        assert story("compiled", cls, max_idle, program) == story("python", cls, max_idle, program)
    finally:
        logging.disable(logging.NOTSET)
