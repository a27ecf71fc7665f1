"""What a context class may derive from: nothing may bring state that a reset cannot reach."""

import abc
import dataclasses
import weakref
from typing import Any, ClassVar, Protocol

import pytest

from poolware import Context, DefinitionError, ObjectPool, RequestContext, SecretField, UnsupportedBase, field, secret


class WithDict:
    pass


class WithSlots:
    __slots__ = ("x",)


class WithWeakref:
    __slots__ = ("__weakref__",)


class Abstract(abc.ABC):  # noqa: B024
    __slots__ = ()


class Speaks(Protocol):
    def speak(self) -> str: ...


REFUSED_BASES = {
    "__dict__": (WithDict, r"WithDict is a class with a __dict__ .* class WithDict\(Context, mixin=True\)"),
    "__slots__": (WithSlots, r"WithSlots is a class with .* slots of its own.* `__slots__ = \(\)`"),
    "__weakref__": (WithWeakref, "WithWeakref is a class with"),
    "builtin": (dict, "dict is a class with"),
    "exception": (ValueError, "ValueError is a class with"),
    "ABC": (Abstract, r"Abstract is an ABC; declare a class of plain methods with `__slots__ = \(\)`"),
    "Protocol": (Speaks, "Speaks is a Protocol; leave it out"),
}


@pytest.mark.parametrize("kind", REFUSED_BASES)
@pytest.mark.parametrize("first", [False, True])
def test_base_with_state_is_refused(kind, first):
    """H02: an attribute that no reset reaches has no place to be, inherited ones included."""
    base, advice = REFUSED_BASES[kind]
    with pytest.raises(UnsupportedBase, match=f"Shop: its base {advice}"):
        type(Context)("Shop", (base, Context) if first else (Context, base), {})


@pytest.mark.parametrize("slots", [("x",), ["x"], "x", ("__dict__",), ("__weakref__",), {"x": "doc"}], ids=repr)
def test_own_slots_are_refused(slots):
    """H02: and the message names the slot to declare as a field."""
    name = next(iter(slots))
    with pytest.raises(
        UnsupportedBase, match=rf"Shop\.__slots__: .* declare a field instead, such as {name}: … = None"
    ):
        type(Context)("Shop", (Context,), {"__slots__": slots})


def test_string_of_own_slots_names_the_whole_slot():
    with pytest.raises(UnsupportedBase, match="such as name: … = None"):
        type(Context)("Shop", (Context,), {"__slots__": "name"})


@pytest.mark.parametrize("slots", [(), [], set(), ""], ids=repr)
def test_empty_slots_are_allowed(slots):
    assert not hasattr(type(Context)("Shop", (Context,), {"__slots__": slots})(), "__dict__")


SPECIAL_METHODS = [
    *("__init__", "__new__", "__del__", "__getattr__", "__getattribute__", "__setattr__", "__delattr__"),
    *("__eq__", "__hash__", "__copy__", "__deepcopy__", "__reduce__", "__reduce_ex__", "__getstate__"),
]


@pytest.mark.parametrize("name", SPECIAL_METHODS)
def test_special_method_is_refused(name):
    with pytest.raises(UnsupportedBase, match=rf"Shop\.{name} is not for contexts: \w+"):
        type(Context)("Shop", (Context,), {name: lambda self, *args: None})


@pytest.mark.parametrize("name", SPECIAL_METHODS)
@pytest.mark.parametrize("first", [False, True])
def test_special_method_from_a_plain_base_is_refused(name, first):
    """H12: with an __eq__ of its own, giving back one object could give back another."""
    plain = type("Plain", (), {"__slots__": (), name: lambda self, *args: None})
    with pytest.raises(UnsupportedBase, match=name):
        type(Context)("Shop", (plain, Context) if first else (Context, plain), {})


def test_dataclass_decorator_is_refused():
    """H15 H12: it would add an __init__, an __eq__ without a hash, and a __repr__ that shows sensitive fields."""
    with pytest.raises(DefinitionError, match="Shop"):

        @dataclasses.dataclass
        class Shop(Context):
            email: str | None = field(default=None, sensitive=True)


def test_two_bases_with_fields_are_refused():
    class Left(Context):
        left: int = 0

    class Right(Context):
        right: int = 0

    with pytest.raises(UnsupportedBase, match=r"Both: two of its bases have fields.*`mixin=True`"):

        class Both(Left, Right):
            pass


def test_mixins_are_combined():
    class Audited(Context, mixin=True):
        actor: str = "nobody"
        key: SecretField = secret()

    class Priced(Context, mixin=True):
        price: int = 1
        notes: list[str] = field(factory=list)

    class Shop(Audited, Priced, RequestContext):
        name: str = "shop"

    class Branch(Shop):
        price: int = 2

    branch = Branch(actor="me")
    assert (branch.actor, branch.price, branch.name, branch.notes, bool(branch.key)) == ("me", 2, "shop", [], False)
    assert Shop().price == 1


@pytest.mark.parametrize("base", [Context, RequestContext])
def test_mixin_alone_has_no_pool(base):
    """A pool of a mixin would hand out objects of the class it derives from, without its fields."""

    class Audited(base, mixin=True):
        actor: str = ""

    with pytest.raises((DefinitionError, ValueError), match="mixin"):
        ObjectPool(Audited)


@pytest.mark.parametrize("cls", [Context, RequestContext])
def test_no_room_for_undeclared_state(cls):
    """H02: slots only, and no weak references."""

    class Shop(cls):
        name: ClassVar[str] = "shop"

    shop: Any = Shop()
    assert not hasattr(shop, "__dict__")
    with pytest.raises(AttributeError):
        shop.undeclared = 1
    with pytest.raises(TypeError):
        weakref.ref(shop)
