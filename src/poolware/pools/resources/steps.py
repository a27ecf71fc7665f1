"""One way of doing things for threads and event loops.

What may take time is written once, as a generator that yields actions. `drive` carries them out in a thread, `adrive`
on an event loop.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Generator
from typing import Any, Protocol, TypeVar

from poolware._core import loops
from poolware._core.apart import bounded, run_apart
from poolware._core.wakeups import loop_wakeup
from poolware.errors import ConfigurationError

R = TypeVar("R")


class Action(Protocol):
    """Something that takes time."""

    def run(self) -> Any:
        """Do it in this thread."""
        ...

    async def arun(self) -> Any:
        """Do it on the loop that runs now."""
        ...


Steps = Generator[Action, Any, R]


def drive(steps: Steps[R]) -> R:
    """Carry `steps` out in this thread."""
    try:
        action = next(steps)
        while True:
            try:
                result = action.run()
            except BaseException as error:
                action = steps.throw(error)
            else:
                action = steps.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


async def adrive(steps: Steps[R]) -> R:
    """Carry `steps` out on the loop that runs now."""
    try:
        action = next(steps)
        while True:
            try:
                result = await action.arun()
            except BaseException as error:
                action = steps.throw(error)
            else:
                action = steps.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


class Wait:
    """Wait to be woken, for `seconds` at the most; tells whether somebody did."""

    __slots__ = ("seconds", "wakeup")

    def __init__(self, wakeup: Any, seconds: float | None) -> None:
        self.wakeup: Any = wakeup
        self.seconds: float | None = seconds

    def run(self) -> bool:
        try:
            self.wakeup.sleep(self.seconds)
        except TimeoutError:
            return False
        return True

    async def arun(self) -> bool:
        try:
            await self.wakeup.sleep(None if self.seconds is None else max(self.seconds, 0))
        except TimeoutError:
            return False
        return True


class Pause:
    """Wait for `seconds`."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds: float = seconds

    def run(self) -> None:
        time.sleep(self.seconds)

    async def arun(self) -> None:
        await loops.sleep(self.seconds)


class Hook:
    """A user's function; called with what it is about, it is an action.

    Args:
        name: what it is called in messages.
        function: sync or async.
        seconds: how long it may take; None for as long as it likes. A synchronous function that has a limit runs in a
            thread of its own, so that a thread or a loop can go on without it.
    """

    __slots__ = ("function", "is_async", "name", "on_loop", "seconds")

    def __init__(self, name: str, function: Callable[..., Any], seconds: float | None = None) -> None:
        self.name: str = name
        self.function: Callable[..., Any] = function
        self.seconds: float | None = seconds
        self.is_async: bool = is_async(function)
        self.on_loop: bool = False
        """Whether what it is about belongs to an event loop, and is to be touched there only."""

    def __call__(self, *args: Any) -> Call:
        return Call(self, args)


class Call:
    """One call of a hook."""

    __slots__ = ("args", "hook")

    def __init__(self, hook: Hook, args: tuple[Any, ...]) -> None:
        self.hook: Hook = hook
        self.args: tuple[Any, ...] = args

    def run(self) -> Any:
        hook = self.hook
        result = hook.function(*self.args) if hook.seconds is None else bounded(self._call, hook.seconds, hook.name)
        if inspect.isawaitable(result):
            _let_go(result)
            msg = f"{hook.name} returned something to be awaited; write it as `async def`, so that the pool knows"
            raise ConfigurationError(msg)
        return result

    async def arun(self) -> Any:
        hook = self.hook
        if hook.seconds is not None and not hook.is_async and not hook.on_loop:
            return await abounded(self._call, hook.seconds, hook.name)
        async with loops.time_limit(hook.seconds):
            result = hook.function(*self.args)
            return await result if inspect.isawaitable(result) else result

    def _call(self) -> Any:
        return self.hook.function(*self.args)


def _let_go(awaitable: Any) -> None:
    """Spare a coroutine the warning that nobody has awaited it."""
    if inspect.iscoroutine(awaitable):
        awaitable.close()


async def abounded(call: Callable[[], R], seconds: float, name: str) -> R:
    """As `bounded`, for a caller on a loop."""
    done = loop_wakeup()
    results: list[R] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)
        finally:
            done.wake()

    run_apart(run, name)
    if not await Wait(done, seconds).arun():
        msg = f"{name} took longer than {seconds:g} s"
        raise TimeoutError(msg)
    if errors:
        raise errors.pop()
    return results.pop()


def is_async(function: object) -> bool:
    """Whether calling `function` gives a coroutine."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - not whether, but what
