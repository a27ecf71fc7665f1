"""The settings of a resource pool, checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from poolware._core.mode import Mode
from poolware._core.options import (
    callable_or_none,
    not_negative,
    not_negative_or_none,
    one_of,
    positive,
    positive_or_none,
    whole_number,
)
from poolware.errors import BadOption
from poolware.pools.announce import announced_mode
from poolware.pools.resources.eviction import Eviction
from poolware.pools.resources.steps import Hook
from poolware.pools.resources.waiting import PRIORITIES, Priority, rank_of


class Settings:
    """What a pool was told, checked; `ResourcePool` says what each of them means.

    Raises:
        BadOption: one of them has a value that it does not take.
    """

    def __init__(
        self,
        factory: Callable[[], Any],
        *,
        name: str | None,
        destroy: Callable[[Any], object] | None,
        reset: Callable[[Any], object] | None,
        validate: Callable[[Any], object] | None,
        keepalive: Callable[[Any], object] | None,
        timeout: float | None,
        max_waiting: int | None,
        validate_on: Iterable[str],
        validate_after: float,
        validate_timeout: float | None,
        keepalive_every: float,
        check_every: float,
        check_batch: int,
        idle_timeout: float | None,
        max_lifetime: float | None,
        eviction: Eviction | None,
        order: str,
        ageing: float,
        reserved: Mapping[Priority, int] | None,
        max_backoff: float,
        hold_limit: float | None,
        leak_detection: str,
    ) -> None:
        if not callable(factory):
            msg = f"ResourcePool({factory!r}): the factory must be a function without arguments"
            raise BadOption(msg)
        self.name: str = name or str(getattr(factory, "__qualname__", type(factory).__name__))
        limit = positive_or_none("validate_timeout", validate_timeout)
        self.destroyed_within: float = math.inf if limit is None else limit
        """Seconds for which what is destroyed keeps its place."""
        self.factory: Hook = Hook(f"the factory of pool {self.name!r}", factory)
        self.destroy: Hook | None = self._hook("destroy", destroy)
        self.reset: Hook | None = self._hook("reset", reset)
        self.validate: Hook | None = self._hook("validate", validate, limit)
        self.keepalive: Hook | None = self._hook("keepalive", keepalive, limit)
        hooks = (self.factory, self.destroy, self.reset, self.validate, self.keepalive)
        self.is_async: bool = any(hook is not None and hook.is_async for hook in hooks)
        for hook in hooks:
            if hook is not None:
                hook.on_loop = self.is_async
        self.timeout: float | None = not_negative_or_none("timeout", timeout)
        self.max_waiting: int | None = None if max_waiting is None else whole_number("max_waiting", max_waiting)
        validated = {one_of("validate_on", when, "acquire", "release", "idle") for when in validate_on}
        self.validate_on: set[str] = validated if validate else set()
        after = not_negative("validate_after", validate_after)
        self.trusted_for: float = after if "acquire" in self.validate_on else math.inf
        """Seconds for which a resource that works is lent without being validated."""
        rested = positive("keepalive_every", keepalive_every)
        self.kept_alive_every: float = math.inf if keepalive is None else rested
        self.check_every: float = positive("check_every", check_every)
        self.check_batch: int = whole_number("check_batch", check_batch, at_least=1)
        self.idle_timeout: float | None = positive_or_none("idle_timeout", idle_timeout)
        self.max_lifetime: float | None = positive_or_none("max_lifetime", max_lifetime)
        callable_or_none("eviction", eviction)
        self.eviction: Eviction | None = eviction
        self.lifo: bool = one_of("order", order, "lifo", "fifo") == "lifo"
        self.ageing: float = positive("ageing", ageing)
        self.reserved: list[int] = [0 for _ in PRIORITIES]
        for priority, share in (reserved or {}).items():
            self.reserved[rank_of(priority)] = whole_number(f"reserved[{priority!r}]", share)
        self.max_backoff: float = positive("max_backoff", max_backoff)
        self.hold_limit: float | None = positive_or_none("hold_limit", hold_limit)
        self.looked_after_every: float = min(self.check_every, self.hold_limit or math.inf, self.kept_alive_every)
        mode = announced_mode()
        self.reuse: bool = mode is not Mode.OFF
        level = one_of("leak_detection", leak_detection, "off", "sampled", "full")
        self.leak_detection: str = "full" if mode is Mode.DEBUG else level
        self.rests_as_it_is: bool = self.reuse and reset is None and "release" not in self.validate_on
        """Whether nothing needs to be done with what comes back."""
        self.short_way: bool = self.lifo and not self.is_async and self.leak_detection == "off"
        """Whether lending is a matter of taking what came back last."""

    def check_sizes(self, min_size: int | None, max_size: int) -> int:
        """Return `min_size`. Raises `BadOption` unless these are bounds that fit each other and the reserved shares."""
        whole_number("max_size", max_size, at_least=1)
        if min_size is None:
            min_size = min(2, max_size)
        if whole_number("min_size", min_size) > max_size:
            msg = f"min_size={min_size}: it takes a whole number of at most max_size={max_size}"
            raise BadOption(msg)
        if sum(self.reserved) >= max_size:
            all_of_it = f"reserved: {sum(self.reserved)} of max_size={max_size} leave nothing for everybody"
            msg = f"{all_of_it}; it takes fewer in all"
            raise BadOption(msg)
        return min_size

    def _hook(self, option: str, function: Callable[..., Any] | None, seconds: float | None = None) -> Hook | None:
        callable_or_none(option, function)
        return function and Hook(f"{option} of pool {self.name!r}", function, seconds)
