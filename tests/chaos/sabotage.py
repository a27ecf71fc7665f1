"""Poolware with one protection taken out, inside of this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from poolware import Buffer
from poolware._core import cycle, memory_store
from poolware._core.memory_file import MemoryFile
from poolware._core.memory_store import MemoryStore
from poolware._core.proof import SOLE
from poolware.pools import buffers, kinds, objects, quarantine
from poolware.pools.hooks import Hooks

Patch = pytest.MonkeyPatch


def on_the_plain_twin(patch: Patch) -> None:
    """Have contexts and buffers use the functions that are changed here."""
    patch.setattr(kinds.ContextKind, "_compiled", False)
    methods = {name: value for name, value in vars(Buffer).items() if name != "__doc__"}
    patch.setattr(buffers, "Buffer", type("Buffer", (MemoryFile,), methods))
    patch.setattr(buffers, "MemoryStore", MemoryStore)


def without_proof(patch: Patch) -> None:
    """Everything counts as held by nobody else (H06)."""
    on_the_plain_twin(patch)
    for module in (cycle, quarantine):
        patch.setattr(module, "getrefcount", lambda _obj: SOLE)


def without_reset(patch: Patch) -> None:
    """Objects go back as they are (H01)."""
    on_the_plain_twin(patch)
    parts_of = cycle._context_parts

    def parts(*args: Any) -> Any:
        return {**parts_of(*args), "pristine": ["True"], "prepare": [], "reset": ["give_back(obj)"]}

    patch.setattr(cycle, "_context_parts", parts)
    patch.setattr(Hooks, "restoring", lambda _self, _reset: lambda _obj: True)


def without_once(patch: Patch) -> None:
    """Whatever is released is taken, as often as it is (H12, H13)."""
    on_the_plain_twin(patch)
    for name, check, nothing in (
        ("_PLAIN_CYCLE", "if take_back(id(obj), nothing) is not obj:", "take_back(id(obj), nothing)\n    if False:"),
        ("_CONTEXT_CYCLE", "except (KeyError, TypeError):\n        return refuse(obj)", "except KeyError: pass"),
    ):
        text = getattr(cycle, name)
        assert check in text
        patch.setattr(cycle, name, text.replace(check, nothing))


def without_search_for_holders(patch: Patch) -> None:
    """What is lent counts as lost, whoever uses it (H32)."""
    patch.setattr(objects, "getrefcount", lambda _obj: objects.LENT_SOLE)


def without_quarantine(patch: Patch) -> None:
    """Memory is used again at once, whoever may still hold a view of it (H07)."""
    on_the_plain_twin(patch)

    def put_back(self: Any, memory: Any, used: int, *_holders: Any) -> None:
        self._rest(memory.obj, memory, used)

    def take(self: Any, size: int) -> bytearray:
        tier = next((tier for tier in self._by_size[0] if tier >= size), size)
        return self.idle[tier].pop() if self.idle.get(tier) else self._build(tier)

    patch.setattr(MemoryStore, "_put_back", put_back)
    patch.setattr(MemoryStore, "_take", take)


def without_wiping(patch: Patch) -> None:
    """Buffers go back as they are (H09)."""
    on_the_plain_twin(patch)
    patch.setattr(memory_store, "wipe", lambda *_args: None)


SABOTAGE: dict[str, tuple[Callable[[Patch], None], tuple[str, ...]]] = {
    "proof": (without_proof, ("object_pools", "requests", "asyncio", "trio", "threads")),
    "reset": (without_reset, ("object_pools", "requests", "asyncio", "trio", "threads", "two_loops")),
    "once": (without_once, ("object_pools", "requests", "threads")),
    "search for holders": (without_search_for_holders, ("object_pools",)),
    "quarantine of memory": (without_quarantine, ("buffer_pools", "asyncio", "trio", "threads")),
    "wiping": (without_wiping, ("buffer_pools", "requests", "asyncio", "trio", "threads")),
}
"""What is taken out, how, and which parts of the chaos have to notice."""
