"""What careful people write by hand: one object a request, reset by hand, kept in a list."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from apps import visit
from apps.control import control

from poolware import PoolStats

PLAIN = {"user": None, "token": "", "tenant": "", "email": None, "attempts": 0, "params": {}, "roles": set()}


class State:
    """The same fields as the matrix's context. The reset forgets none of them."""

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self.roles: set[str] = set()
        self.serial = visit.Serial()
        self.reset()

    def reset(self) -> None:
        self.user: str | None = None
        self.email: str | None = None
        self.token = self.tenant = ""
        self.attempts = 0
        self.params.clear()
        self.roles.clear()


class HandPool:
    """Acquire, reset by hand, release."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[State] = []
        self.acquired = self.released = self.created = 0

    def acquire(self) -> State:
        with self._lock:
            self.acquired += 1
            if self._idle:
                return self._idle.pop()
            self.created += 1
        return State()

    def release(self, state: State) -> None:
        state.reset()
        with self._lock:
            self.released += 1
            self._idle.append(state)

    def get_stats(self) -> PoolStats:
        """Show the figures in the form that the matrix looks at."""
        nothing: dict[str, Any] = {field.name: 0 for field in fields(PoolStats)}
        known = {
            "name": "by hand",
            "idle": len(self._idle),
            "in_use": self.acquired - self.released,
            "acquired": self.acquired,
            "released": self.released,
            "hits": self.acquired - self.created,
            "misses": self.created,
            "created": self.created,
            "destroyed": self.created - len(self._idle) - (self.acquired - self.released),
        }
        return PoolStats(**(nothing | known))


def differences(state: Any, _carrier: object) -> Iterator[str]:
    """What differs from a new state."""
    for name, value in PLAIN.items():
        if getattr(state, name) != value:
            yield f"{name} came as {getattr(state, name)!r}"


pool = HandPool()
visit.differences = differences
control.pools["contexts"] = pool
