"""The hot path: acquire, release, begin and finish.

The four functions are generated once per pool, so that checking and resetting a context is straight-line code without a
call or a loop. They hold no lock. Each step that changes who owns an object is one atomic operation on a list, a set
or a dict, and between two such steps the object is known to this call alone:

    acquire   idle.pop -> proof -> pristine check -> lent.add
    release   lent.remove (raises when not lent: exactly once) -> reset -> idle.append

Everything that is rare is a call into the pool: build, doubt, refuse, retire.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from poolware._core.core import compiled
from poolware._core.plan import Plan, RebuiltSlot, SecretSlot, ValueSlot, VouchedSlot, set_class
from poolware._core.proof import ARGUMENT_SHOWS_CALLER, PART_SOLE, getrefcount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "poolware.ctx"
"""The one key under which an ASGI scope or a WSGI environ carries its context."""

_CONTEXT_CYCLE = """
def acquire():
    while True:
        try:
            obj = pop()
        except IndexError:
            return build()
        if getrefcount(obj) == SOLE:
            if type(obj) is not cls:
                set_class(obj, cls)
            try:
                pristine = {pristine}
            except AttributeError:
                pristine = False
            if pristine:
                {prepare}
                lend(obj)
                tick()
                return obj
        doubt(obj)

def release(obj):
    try:
        take_back(obj)
    except (KeyError, TypeError):
        return refuse(obj)
    others = getrefcount(obj) - SOLE
    if {held}:
        return retire(obj)
    try:
        {reset}
    except BaseException as error:
        if spoilt(obj, error):
            raise
        return
    if others or not ARGUMENT_SHOWS_CALLER:
        set_class(obj, sealed)
    push(obj)

def begin(carrier):
    obj = acquire()
    carrier[KEY] = obj  # first: what takes no context is no carrier either, of which its label could be read
    obj._carrier = carrier
    obj.started_at = now()
    return obj

def finish(carrier):
    obj = carrier.pop(KEY, None)
    if obj is None:
        return
    try:
        take_back(obj)
    except (KeyError, TypeError):
        return refuse(obj)
    if getrefcount(obj) != SOLE:
        return retire(obj)
    try:
        {reset}
    except BaseException as error:
        if spoilt(obj, error):
            raise
        return
    push(obj)

def fill(obj):
    {fill}
"""

_PLAIN_CYCLE = """
def acquire():
    while True:
        try:
            obj = pop()
        except IndexError:
            return build()
        if getrefcount(obj) == SOLE:
            {again}
            {validate}
            lent[id(obj)] = obj
            tick()
            return obj
        doubt(obj)

def release(obj):
    if take_back(id(obj), nothing) is not obj:
        return refuse(obj)
    {touched}
    {reset}
    push(obj)
"""


def _unsupported(_obj: object) -> Any:
    msg = "only a pool of request contexts begins and finishes requests"
    raise TypeError(msg)


class Cycle(NamedTuple):
    """The generated functions of one pool."""

    acquire: Callable[[], Any]
    release: Callable[[Any], None]
    begin: Callable[[Any], Any] = _unsupported
    finish: Callable[[Any], None] = _unsupported
    fill: Callable[[Any], None] = _unsupported


def context_cycle(plan: Plan, names: dict[str, Any]) -> Cycle:
    """Generate the cycle of a pool of contexts. `names` has the pool's own: idle, lent, build, doubt, refuse, …."""
    idle, lent = names["idle"], names["lent"]
    names |= {
        "pop": idle.pop,
        "push": idle.append if names["drop"] is None else names["drop"],
        "lend": lent.add,
        "take_back": lent.remove,
        "tick": names["acquired"].tick,
        "cls": plan.cls,
        "sealed": plan.sealed,
        "set_class": set_class,
        "getrefcount": getrefcount,
        "ARGUMENT_SHOWS_CALLER": ARGUMENT_SHOWS_CALLER,
        "PART_SOLE": PART_SOLE,
        "KEY": KEY,
        "now": time.time,
        "give_back": plan.give_back,
    }
    _compile(_CONTEXT_CYCLE, _context_parts(plan, names), names)
    return Cycle(names["acquire"], names["release"], names["begin"], names["finish"], names["fill"])


def plain_cycle(*, names: dict[str, Any]) -> Cycle:
    """Generate the cycle of a pool of any other objects; `reset` and `validate` in `names` may be None."""
    idle, lent = names["idle"], names["lent"]
    names |= {
        "pop": idle.pop,
        "push": idle.append if names["drop"] is None else names["drop"],
        "take_back": lent.pop,
        "tick": names["acquired"].tick,
        "getrefcount": getrefcount,
        "nothing": object(),
        "touched": set(),
    }
    # Who holds an object at its release could write to it after its reset: it is reset once more, when nobody does.
    held = "getrefcount(obj) != SOLE" if ARGUMENT_SHOWS_CALLER else "True"
    again = ["if touched and id(obj) in touched:", "    touched.discard(id(obj))", "    if not restore(obj): continue"]
    parts = {
        "again": again if names["restore"] else [],
        "validate": ["if not valid(obj): continue"] if names["valid"] else [],
        "touched": [f"if {held}: touched.add(id(obj))"] if names["restore"] else [],
        "reset": ["if not restore(obj): return"] if names["restore"] else [],
    }
    _compile(_PLAIN_CYCLE, parts, names)
    return Cycle(names["acquire"], names["release"])


def _context_parts(plan: Plan, names: dict[str, Any]) -> dict[str, list[str]]:
    reset = ["if obj._lent is not None: give_back(obj)"]
    pristine, prepare, fill = ["obj._home is home"], [], ["obj._home = home"]
    # The caller's own variable may outlive the release: sealed after the reset, as nobody can write in between. Parts
    # that are kept could be written to through it, so an object that has such parts is sealed first.
    held = "others > 1"
    for number, slot in enumerate(plan.slots):
        here = f"obj.{slot.name}"
        match slot:
            case ValueSlot(default=default, sensitive=sensitive, overwrite=overwrite):
                rest = _constant(default, f"default_{number}", names)
                pristine.append(f"{here} is {rest}")
                if sensitive:
                    reset.append(f"if {here} is not {rest}: scrub({here})")
                if overwrite and compiled is not None:
                    names |= {"overwrite": compiled.overwrite, f"member_{number}": plan.members[slot.name]}
                    reset.append(f"overwrite(obj, member_{number})")
                if slot.name != "_lent":  # borrowed in this very moment: give_back is all that may empty it
                    reset.append(f"{here} = {rest}")
                fill.append(f"{here} = {rest}")
            case RebuiltSlot(factory=factory, sensitive=sensitive):
                new = _call(factory, f"factory_{number}", names)
                pristine.append(f"{here} is None")
                if sensitive:
                    reset.append(f"scrub({here})")
                reset.append(f"{here} = None")
                prepare.append(f"{here} = {new}")
                fill.append(f"{here} = {new}")
            case VouchedSlot(factory=factory, reset=restore):
                new = _call(Maker(factory), f"factory_{number}", names)
                names[f"reset_{number}"] = restore
                keep = f"keep(getrefcount({here}) == PART_SOLE, {here}, factory_{number}, reset_{number})"
                reset.append(f"{here} = {keep}")
                held = "others or not ARGUMENT_SHOWS_CALLER"
                prepare.append(f"if {here} is None or getrefcount({here}) != PART_SOLE: {here} = {new}")
                fill.append(f"{here} = {new}")
            case SecretSlot():
                pristine.append(f"{here} is None")
                reset.append(f"if {here} is not None: {here}._retire(); {here} = None")
                fill.append(f"{here} = None")
    parts = {"pristine": [" and ".join(pristine)], "prepare": prepare, "reset": reset, "fill": fill}
    return parts | {"held": [held]}


class Maker:
    """A factory that remembers the type of what it makes."""

    __slots__ = ("factory", "made")

    def __init__(self, factory: Callable[[], Any]) -> None:
        self.factory: Callable[[], Any] = factory

    def __call__(self) -> Any:
        part = self.factory()
        self.made: type = type(part)
        return part


def _constant(value: object, name: str, names: dict[str, Any]) -> str:
    if value is None or value is True or value is False:
        return repr(value)
    names[name] = value
    return name


def _call(factory: Callable[[], Any], name: str, names: dict[str, Any]) -> str:
    names[name] = factory
    if factory is dict:
        return "{}"
    return "[]" if factory is list else f"{name}()"


def _compile(template: str, parts: dict[str, list[str]], names: dict[str, Any]) -> None:
    exec(compile("\n".join(_fill_in(template, parts)), "<poolware cycle>", "exec"), names)  # noqa: S102 - own text


def _fill_in(template: str, parts: dict[str, list[str]]) -> Iterator[str]:
    for line in template.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        name = line.strip().removeprefix("{").removesuffix("}")
        if line.strip() == f"{{{name}}}" and name in parts:
            yield from (indent + part for part in parts[name] or ["pass"])
        else:
            yield line.format(**{key: " ".join(value) for key, value in parts.items()}) if "{" in line else line
