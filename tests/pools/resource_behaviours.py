"""What pools do when they are used in ways that go wrong elsewhere. Each returns what it saw in a word or two."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from resource_peers import Factory, Peer, Thing

Make = Callable[[Factory, int], Awaitable[Peer]]

SOON = 0.3
"""Seconds after which nothing more is to be expected."""


async def released_twice(make: Make) -> str:
    """H12: a thing comes back twice; do two callers get it at the same time?"""
    pool = await make(Thing, 4)
    thing, other = await pool.get(SOON), await pool.get(SOON)
    await pool.put(thing)
    try:
        await pool.put(thing)
    except Exception as error:
        seen = f"refused: {type(error).__name__}"
    else:
        seen = "ignored"
    first, second = await pool.get(SOON), await pool.get(SOON)
    if first is second:
        return "lent twice"
    await _close(pool, first, second, other)
    return seen


async def foreign_release(make: Make) -> str:
    """H13: a thing comes that was never lent; does a caller get it?"""
    pool = await make(Thing, 2)
    if pool.foreign is None:
        return "-"
    lent, foreign = await pool.get(SOON), pool.foreign()
    try:
        await pool.put(foreign)
    except Exception as error:
        seen = f"refused: {type(error).__name__}"
    else:
        seen = "ignored"
    got = await pool.get(SOON)
    if got is foreign:
        return "lent"
    await _close(pool, lent, got)
    return seen


async def overtaking(make: Make) -> str:
    """H28: somebody waits; does who gives a thing back, and wants one again at once, get it instead?"""
    pool = await make(Thing, 1)
    thing = await pool.get(SOON)
    waiter = asyncio.ensure_future(pool.get(2))
    await asyncio.sleep(SOON)  # it waits in a thread, and nobody knows since when
    if waiter.done():
        return "no bound"
    try:
        thing = await pool.regain(thing, SOON)
    except Exception:
        seen = "in order"
    else:
        seen = "overtaken"
        await pool.put(thing)
    await _close(pool, await waiter)
    return seen


async def failing_factory(make: Make) -> str:
    """H29: the factory fails once; is its place lost?"""
    calls = 0

    def factory() -> Thing:
        nonlocal calls
        calls += 1
        if calls == 1:
            msg = "no route to host"
            raise OSError(msg)
        return Thing()

    try:
        pool = await make(factory, 1)
    except OSError:  # it makes everything at once
        return "-"
    try:
        thing = await pool.get(5)
    except OSError:
        return f"told; {await _works(pool, SOON)}"
    await pool.put(thing)
    return f"tried again; {await _works(pool, SOON)}"


async def cancelled_while_made(make: Make) -> str:
    """H18: a caller is cancelled while its thing is being made."""
    pool = await make(Thing, 1)
    if not pool.cancellable:
        return "-"
    caller = asyncio.ensure_future(pool.get(SOON))
    await asyncio.sleep(0)
    caller.cancel()
    return await _after(pool, caller)


async def cancelled_in_queue(make: Make) -> str:
    """H18: a caller is cancelled while it waits."""
    pool = await make(Thing, 1)
    if not pool.cancellable:
        return "-"
    thing = await pool.get(SOON)
    caller = asyncio.ensure_future(pool.get(SOON))
    await _ticks(10)
    caller.cancel()
    await asyncio.wait([caller])
    await pool.put(thing)
    return await _after(pool, caller)


async def cancelled_at_hand_off(make: Make) -> str:
    """H18: a caller is cancelled in the moment in which it gets what it waits for, sooner or later after it."""
    for ticks in range(6):
        pool = await make(Thing, 1)
        if not pool.cancellable:
            return "-"
        thing = await pool.get(SOON)
        caller = asyncio.ensure_future(pool.get(SOON))
        await _ticks(10)
        giving = asyncio.ensure_future(pool.put(thing))
        await _ticks(ticks)
        caller.cancel()
        await giving
        seen = await _after(pool, caller)
        if seen != "works":
            return seen
    return "works"


async def _after(pool: Peer, caller: asyncio.Future[Any]) -> str:
    await asyncio.wait([caller])
    if not caller.cancelled() and caller.exception() is None:  # it was served first
        await pool.put(caller.result())
    return await _works(pool, SOON)


async def _close(pool: Peer, *lent: Any) -> None:
    for thing in lent:
        await pool.put(thing)
    await pool.close()


async def _works(pool: Peer, seconds: float) -> str:
    try:
        await pool.put(await asyncio.wait_for(pool.get(seconds), seconds))
    except Exception:
        return "a place is lost"
    await pool.close()
    return "works"


async def _ticks(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


BEHAVIOURS = (
    released_twice,
    foreign_release,
    overtaking,
    failing_factory,
    cancelled_while_made,
    cancelled_in_queue,
    cancelled_at_hand_off,
)
"""In the order of the table's columns."""
