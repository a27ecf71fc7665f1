"""The compiled twin of `cycle.context_cycle`: the same plan and the same names, told in C's terms."""

from __future__ import annotations

import gc
from typing import Any

from poolware._core.core import compiled
from poolware._core.cycle import KEY, Cycle, Maker
from poolware._core.plan import Plan, RebuiltSlot, SecretSlot, Slot, ValueSlot, VouchedSlot

_VALUE, _REBUILT, _CONTAINER, _VOUCHED, _SECRET = range(5)
_CALLS = ("build", "doubt", "refuse", "retire", "spoilt", "keep", "scrub", "give_back", "drop")


def stores(plan: Plan) -> tuple[Any, Any]:
    """Return where contexts rest, and where those in use are known."""
    visible = any(isinstance(slot, VouchedSlot) or _refers(slot) for slot in plan.slots)
    containers = tuple(plan.members[slot.name] for slot in plan.slots if _keeps_emptied(slot))
    return compiled.Store(plan.cls, plan.members["_home"], visible, containers), compiled.Register(plan.cls)


def _keeps_emptied(slot: Slot) -> bool:
    """Whether a container in the slot is emptied and kept."""
    return isinstance(slot, RebuiltSlot) and slot.factory in {dict, list, set}


def _refers(slot: Slot) -> bool:
    """Whether what a slot rests at may lead to the pool: a function, a type, a member of an Enum."""
    return isinstance(slot, ValueSlot) and gc.is_tracked(slot.default)


def compiled_cycle(plan: Plan, names: dict[str, Any]) -> Cycle:
    """Make the cycle of a pool of contexts. `names` has the pool's own: idle, lent, acquired, build, doubt, …."""
    rows = tuple(_row(plan, slot) for slot in plan.slots)
    lent, home = names["lent"], names["home"]
    made = compiled.Cycle(
        names["idle"],
        lent,
        names["acquired"],
        plan.cls,
        plan.sealed,
        home,
        KEY,
        plan.members,
        rows,
        calls_of(plan, names),
    )
    return Cycle(made.acquire, made.release, made.begin, made.finish, made.fill)


def calls_of(plan: Plan, names: dict[str, Any]) -> dict[str, Any]:
    """Return what a cycle calls, of a pool's names."""
    return {"give_back": plan.give_back} | {name: names[name] for name in _CALLS if name in names}


def _row(plan: Plan, slot: Slot) -> tuple[Any, ...]:
    kind, rest, factory, reset, sensitive, overwrite = _VALUE, None, None, None, False, False
    match slot:
        case ValueSlot():
            rest, sensitive, overwrite = slot.default, slot.sensitive, slot.overwrite
        case RebuiltSlot():
            kind = _CONTAINER if _keeps_emptied(slot) else _REBUILT
            factory, sensitive = slot.factory, slot.sensitive
        case VouchedSlot():
            kind, factory, reset = _VOUCHED, Maker(slot.factory), slot.reset
        case SecretSlot():
            kind = _SECRET
    return plan.members[slot.name], kind, rest, factory, reset, sensitive, overwrite, slot.name == "_lent"
