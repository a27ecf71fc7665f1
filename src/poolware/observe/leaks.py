"""What is in use for too long, by whom, and who holds it. It only looks: nothing is taken away from anybody (H32)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from poolware._core.options import not_negative
from poolware.observe.holders import holders
from poolware.pools.forks import all_pools
from poolware.pools.kinds import ContextKind

__all__ = ["Leak", "leaks"]


@dataclass(frozen=True, slots=True)
class Leak:
    """Something that was acquired and has not been released."""

    pool: str
    type: str
    """What it is."""
    age: float
    """Seconds since it was acquired."""
    stack: str
    """Where it was acquired, the innermost call last."""
    request: str
    """The request that it serves, such as ``GET /orders/17``; empty if it serves none, or none is known."""
    holders: tuple[str, ...]
    """Who refers to it, besides its pool."""

    def __str__(self) -> str:
        served = f" for {self.request}" if self.request else ""
        held = "".join(f"\n  {holder}" for holder in self.holders) or "\n  nobody"
        head = f"pool {self.pool!r}: a {self.type} has been in use{served} for {self.age:.1f} s"
        return f"{head}; acquired at:\n{self.stack}Held by:{held}"


def leaks(*pools: Any, older_than: float = 0.0) -> list[Leak]:
    """Return what is in use for longer than `older_than` seconds, the oldest first.

    Only what leak detection has noted is known: see ``leak_detection=`` of the pools. Slow, as `holders` is.

    Args:
        pools: where to look; every pool of the process by default.
        older_than: seconds.

    Raises:
        BadOption: `older_than` is not a number of at least 0.
    """
    not_negative("older_than", older_than)
    requests, found = _requests(), []
    for pool in pools or all_pools():
        for noted in pool._noted() if hasattr(pool, "_noted") else ():
            age = time.monotonic() - noted.since
            if age > older_than:
                held = tuple(holders(noted.obj, (noted, *noted.keepers)))
                request = requests.get(id(noted.obj), "")
                found.append(Leak(pool.name, type(noted.obj).__name__, age, noted.stack, request, held))
    return sorted(found, key=lambda leak: -leak.age)


def _requests() -> dict[int, str]:
    """Return the request of each context in use, and of what it has borrowed, by the objects' ids."""
    kinds = (getattr(pool, "_kind", None) for pool in all_pools())
    served: dict[int, str] = {}
    for kind in kinds:
        if isinstance(kind, ContextKind):
            for ctx in kind.holdings():
                label = kind.plan.label(ctx)
                served |= {id(obj): label for obj in (ctx, *_borrowed(kind, ctx))}
    return served


def _borrowed(kind: ContextKind, ctx: Any) -> Iterator[Any]:
    for row in tuple(kind.plan.members["_lent"].__get__(ctx) or ()):
        rows = [row, *getattr(row[-1], "rows", ())]  # what an event loop has lent is in rows of its own
        yield from (one[0] for one in rows)
