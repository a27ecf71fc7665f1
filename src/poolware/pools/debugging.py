"""POOLWARE_MODE=debug: what was released raises on any use and says who acquired and who released it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from poolware._core.log import logger
from poolware._core.misuse import reported
from poolware._core.plan import VouchedSlot
from poolware.errors import PartHeld
from poolware.pools.kinds import ContextKind, PlainKind
from poolware.pools.parts import held_parts
from poolware.pools.poison import poison
from poolware.pools.traces import Traces

if TYPE_CHECKING:
    from poolware._core.plan import Plan


class DebugContextKind(ContextKind):
    """Contexts: sealed with both stacks, and their vouched parts looked at."""

    _compiled = False

    def __init__(self, plan: Plan, home: object, idle: Any = None) -> None:
        super().__init__(plan, home, idle)
        self._traces = Traces()
        self._parts = Parts()

    def lend(self, obj: Any) -> None:
        super().lend(obj)
        self._traces.acquired(obj)
        for _, part in self._vouched(obj):
            self._parts.acquired(part)

    def finish(self, obj: Any) -> bool:
        vouched = self._vouched(obj)
        self.seal(obj, self._traces.released(obj))
        while vouched:
            slot, part = vouched.pop()
            self._parts.released(f"{self.plan.cls.__name__}.{slot.name}", part, slot.reset)
        return True

    def tell(self, obj: Any) -> str:
        return super().tell(obj) + self._traces.tell(obj)

    def _vouched(self, obj: Any) -> list[tuple[VouchedSlot, Any]]:
        return [(slot, getattr(obj, slot.name)) for slot in self.plan.slots if isinstance(slot, VouchedSlot)]


class DebugPlainKind(PlainKind):
    """Any other objects: poisoned, and their parts looked at."""

    def __init__(self, factory: Callable[[], Any], restore: Callable[[Any], bool] | None, idle: Any) -> None:
        super().__init__(factory, restore, idle)
        self._traces = Traces()
        self._parts = Parts()

    def generate(self, names: dict[str, Any]) -> None:
        self.restore, restore = None, self.restore  # called by finish()
        super().generate(names)
        self.restore = restore

    def lend(self, obj: Any) -> None:
        super().lend(obj)
        self._traces.acquired(obj)
        self._parts.acquired(obj)

    def finish(self, obj: Any) -> bool:
        restored = super().finish(obj)
        if restored and self.restore is not None:
            self._parts.released(type(obj).__name__, obj)
        poison(obj, self._traces.released(obj))
        return restored

    def tell(self, obj: Any) -> str:
        return super().tell(obj) + self._traces.tell(obj)


class Parts:
    """Watches what is inside of objects that are reused on somebody's word (H43)."""

    def __init__(self) -> None:
        self._shared: dict[int, set[str]] = {}

    def acquired(self, obj: object) -> None:
        """Note what of a new object others hold by design."""
        self._shared[id(obj)] = set(held_parts(obj))

    def released(self, what: str, obj: object, reset: Callable[[Any], object] | None = None) -> None:
        """Reset `obj` as if it were to be reused, then report whatever somebody still holds inside of it."""
        shared = self._shared.pop(id(obj), None)
        try:
            if reset is not None:
                reset(obj)
        except Exception:
            logger.exception("%s: its reset failed", what)
            return
        held = [] if shared is None else [part for part in held_parts(obj) if part not in shared]
        if held:
            msg = f"{what}: its reset= says that it can be reused, but somebody still holds {', '.join(held)} of it"
            logger.error("%s", reported(PartHeld(msg)))
