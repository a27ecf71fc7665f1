"""What an object pool holds: contexts, which bring their own reset and can be sealed, or any other objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from poolware._core.compiled_cycle import calls_of, compiled_cycle, stores
from poolware._core.core import compiled
from poolware._core.cycle import Cycle, context_cycle, plain_cycle
from poolware._core.detour import Detour, Watcher, around_compiled, around_context, around_plain
from poolware._core.memory import wipe
from poolware._core.plan import Plan, RebuiltSlot, SecretSlot, ValueSlot, set_class

if TYPE_CHECKING:
    from collections.abc import Callable


class Kind(Protocol):
    """How a pool treats its objects off the hot path."""

    idle: Any
    """Every object at rest: a list, or another store."""
    lent: Any
    """Every object in use that will be kept: a set, or a dict by id for objects that may be unhashable."""
    cycle: Cycle

    def generate(self, names: dict[str, Any]) -> None:
        """Make `cycle` from the names of the pool it belongs to."""

    def detour(self, taken: Watcher, given: Watcher) -> Detour:
        """Return the way around the hot path on which these are told of each object lent and taken back."""

    def build(self) -> Any:
        """Return a new object."""

    def lend(self, obj: Any) -> None:
        """Note that `obj` is in use."""

    def unlend(self, obj: Any) -> bool:
        """Note that `obj`, which is in use, will not be kept; False if it has just been released."""

    def lends(self, obj: Any) -> bool:
        """Whether `obj` is in use."""

    def seal(self, obj: Any) -> None:
        """Make any further use of `obj` raise, then wipe and reset it."""

    def finish(self, obj: Any) -> bool:
        """Reset an object that will not be used again; False if that failed."""

    def unseal(self, obj: Any) -> bool:
        """Make an object that nobody holds as good as new; False if that failed."""

    def holdings(self) -> list[Any]:
        """Every object in use."""

    def tell(self, obj: Any) -> str:
        """Say which object this is: which request it serves or served; in debug mode also who acquired it."""


class ContextKind:
    """Contexts: reset by their class's plan.

    The compiled cycle rests contexts in a stack of its own; with any other store contexts use the plain one.
    """

    _compiled = compiled is not None

    def __init__(self, plan: Plan, home: object, idle: Any = None) -> None:
        self.plan: Plan = plan
        self.home: object = home
        self._compiled = self._compiled and idle is None
        idle, lent = stores(plan) if self._compiled else ([] if idle is None else idle, set())
        self.idle: Any = idle
        self.lent: Any = lent

    def generate(self, names: dict[str, Any]) -> None:
        names |= {"home": self.home, "scrub": scrub, "idle": self.idle, "lent": self.lent}
        make = compiled_cycle if self._compiled else context_cycle
        self.cycle: Cycle = make(self.plan, names)
        self._calls = calls_of(self.plan, names)

    def detour(self, taken: Watcher, given: Watcher) -> Detour:
        if not self._compiled:
            return around_context(self.cycle, taken, given)
        return around_compiled(self.cycle, self._calls, (self.idle, stores(self.plan)[0]), taken, given)

    def build(self) -> Any:
        obj = self.plan.cls.__new__(self.plan.cls)
        self.cycle.fill(obj)
        return obj

    def lend(self, obj: Any) -> None:
        self.lent.add(obj)

    def unlend(self, obj: Any) -> bool:
        try:
            self.lent.remove(obj)
        except KeyError:
            return False
        return True

    def lends(self, obj: Any) -> bool:
        return obj in self.lent

    def seal(self, obj: Any, because: str = "") -> None:
        if type(obj) is self.plan.sealed:  # written to in the moment before it was sealed
            self._rest(obj)
            return
        try:
            self.plan.give_back(obj)
        finally:
            label = self.plan.label(obj)
            set_class(obj, self.plan.sealed)
            self.plan.members["_carrier"].__set__(obj, label + because)
            self._rest(obj, because)

    def finish(self, obj: Any) -> bool:
        self.seal(obj)
        return True

    def unseal(self, obj: Any) -> bool:
        self._rest(obj)
        self.plan.members["_carrier"].__set__(obj, None)
        set_class(obj, self.plan.cls)
        return True

    def holdings(self) -> list[Any]:
        return list(self.lent)

    def tell(self, obj: Any) -> str:
        sealed = type(obj) is self.plan.sealed
        label = self.plan.members["_carrier"].__get__(obj) if sealed else self.plan.label(obj)
        return f"{self.plan.cls.__name__} of {label or 'no request'}"

    def _rest(self, obj: Any, because: str = "") -> None:
        """Reset through the slots' own descriptors, which reach into a sealed object; its label stays."""
        self.plan.give_back(obj)  # what was borrowed in the moment before it was sealed
        members = self.plan.members
        for slot in self.plan.slots:
            if slot.name == "_carrier":
                continue
            member = members[slot.name]
            match slot:
                case SecretSlot():
                    secret = _value(member, obj)
                    if secret is not None:
                        secret._retire(because)
                case ValueSlot(sensitive=True, overwrite=True) if compiled is not None:
                    compiled.overwrite(obj, member)
                case ValueSlot(sensitive=True) | RebuiltSlot(sensitive=True):
                    scrub(_value(member, obj))
            member.__set__(obj, slot.default if isinstance(slot, ValueSlot) else None)
        members["_home"].__set__(obj, self.home)


class PlainKind:
    """Any other objects: reset by the user's function, or never where the user says that nothing needs it."""

    def __init__(self, factory: Callable[[], Any], restore: Callable[[Any], bool] | None, idle: Any) -> None:
        self.idle: Any = idle
        self.build: Callable[[], Any] = factory
        self.restore: Callable[[Any], bool] | None = restore
        self.lent: dict[int, Any] = {}

    def generate(self, names: dict[str, Any]) -> None:
        names |= {"idle": self.idle, "lent": self.lent, "restore": self.restore}
        self.cycle: Cycle = plain_cycle(names=names)

    def detour(self, taken: Watcher, given: Watcher) -> Detour:
        return around_plain(self.cycle, taken, given)

    def lend(self, obj: Any) -> None:
        self.lent[id(obj)] = obj

    def unlend(self, obj: Any) -> bool:
        return self.lent.pop(id(obj), None) is not None

    def lends(self, obj: Any) -> bool:
        return id(obj) in self.lent

    def seal(self, _obj: Any) -> None:
        """Nothing to seal: objects of this kind know nothing of pools. The proof alone protects the next user."""

    def finish(self, obj: Any) -> bool:
        return self.unseal(obj)

    def unseal(self, obj: Any) -> bool:
        return self.restore is None or self.restore(obj)

    def holdings(self) -> list[Any]:
        return list(self.lent.values())

    def tell(self, obj: Any) -> str:
        return object.__repr__(obj)


def _value(member: Any, obj: object) -> Any:
    """Read a slot; None if the application has deleted it."""
    try:
        return member.__get__(obj)
    except AttributeError:
        return None


def scrub(value: Any) -> None:
    """Overwrite what a sensitive field held, where Python can: a bytearray is filled with zeros."""
    if issubclass(type(value), bytearray):  # isinstance() would wake a lazy object up
        with memoryview(value) as memory:
            wipe(memory, 0, len(memory))
