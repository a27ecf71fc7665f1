"""Poolware with one protection taken out, named by the environment: the tests must notice."""

from __future__ import annotations

import os
from typing import Any


def apply() -> None:
    """Take out the protection that ``SABOTAGE`` names, if any; before the pools are made."""
    _SABOTAGE[os.environ.get("SABOTAGE", "")]()


def _nothing() -> None:
    """Poolware as it is."""


def _without_reset() -> None:
    """Contexts go back as they are."""
    from poolware._core import cycle

    parts_of = cycle._context_parts

    def parts(*args: Any) -> Any:
        return {**parts_of(*args), "pristine": ["True"], "prepare": [], "reset": ["give_back(obj)"]}

    cycle._context_parts = parts


def _without_wiping() -> None:
    """Buffers go back as they are."""
    from poolware._core import memory_store

    memory_store.wipe = lambda *_: None


def _without_quarantine() -> None:
    """Memory is used again at once, whoever may still hold a view of it (H07)."""
    from poolware._core.memory_store import MemoryStore

    original = MemoryStore._put_back

    def put_back(self: Any, memory: Any, used: int, *_holders: Any) -> None:
        original(self, memory, used)

    def take(self: Any, size: int) -> bytearray:
        tier = next(tier for tier in self._by_size[0] if tier >= size)
        return self.idle[tier].pop() if self.idle[tier] else self._build(tier)

    MemoryStore._put_back, MemoryStore._take = put_back, take


def _without_finish() -> None:
    """Contexts never go back."""
    from poolware import Lifecycle

    make = Lifecycle.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        make(self, *args, **options)
        self.finish = self._finish = lambda _carrier: None

    Lifecycle.__init__ = init


def _without_waiting_for_close() -> None:
    """Under WSGI a request ends when its view has returned, and not when the server closes the response (H19)."""
    from poolware.web import wsgi

    class TooEarly(wsgi.Ending):
        def __init__(self, finish: Any, carrier: Any, inner: Any = None) -> None:
            super().__init__(finish, carrier, inner)
            finish(carrier)

    wsgi.Ending = TooEarly


def _without_file_wrapper() -> None:
    """A file wrapper is wrapped like every other iterable (H21)."""
    from poolware.web import wsgi

    wsgi._keep_type = lambda *_: None


def _without_restart_after_fork() -> None:
    """A child goes on with the pools of its parent (H26)."""
    from poolware.pools import forks

    forks.all_pools = list


class _Whatever:
    """A count of references that is always the expected one."""

    def __eq__(self, _other: object) -> bool:
        return True

    def __ne__(self, _other: object) -> bool:
        return False

    def __sub__(self, _other: object) -> int:
        return 0

    __hash__ = None


def _without_proof() -> None:
    """Contexts, their parts and other objects are used again at once, whoever may still hold them (H06, H43)."""
    from poolware._core import cycle

    cycle.getrefcount = lambda _obj: _Whatever()


def _without_seal() -> None:
    """What is held beyond its request can be used on (H06)."""
    from poolware.pools import kinds

    kinds.set_class = lambda *_: None


def _without_wiping_secrets() -> None:
    """Secrets stay in the memory that held them (H14)."""
    from poolware.context import secret

    secret.wipe = lambda *_: None


def _without_looking_at_slots() -> None:
    """A ring's slot is written to again as soon as it was consumed (H07)."""
    from poolware.pools.rings.slots import Slot

    def take_from_reader(self: Any, free: Any) -> None:
        self.forget()
        self.wipe()
        free(self)

    Slot.take_from_reader = take_from_reader


_SABOTAGE = {
    "": _nothing,
    "reset": _without_reset,
    "wiping": _without_wiping,
    "quarantine": _without_quarantine,
    "finish": _without_finish,
    "close": _without_waiting_for_close,
    "file wrapper": _without_file_wrapper,
    "proof": _without_proof,
    "seal": _without_seal,
    "secrets": _without_wiping_secrets,
    "slots": _without_looking_at_slots,
    "fork": _without_restart_after_fork,
}
