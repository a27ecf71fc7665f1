"""One description of what is done with a pool, for its sync and its async kind alike.

Steps are a generator that yields whatever the pool's methods return. Where that is awaitable it is awaited, and an
error of it is raised inside the generator.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from poolware._core.loops import is_awaitable

__all__ = ["Steps", "run", "run_async"]

Steps = Generator[Any, None, Any]


def run(steps: Steps) -> None:
    """Take all `steps` of a sync pool."""
    for _ in steps:
        pass


async def run_async(steps: Steps) -> None:
    """Take all `steps` of an async pool."""
    try:
        step = next(steps)
        while True:
            try:
                if is_awaitable(step):
                    await step
            except BaseException as error:
                step = steps.throw(error)
            else:
                step = next(steps)
    except StopIteration:
        return
