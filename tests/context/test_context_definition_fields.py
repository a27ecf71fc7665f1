"""What a field may be: each refusal has an error of its own that says what to write instead."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections import deque
from typing import Annotated, Any, ClassVar, Generic, Protocol, TypeVar

import pytest

from poolware import (
    BadOption,
    Context,
    DefinitionError,
    MissingDefault,
    MutableDefault,
    NotAField,
    RequestContext,
    SecretField,
    UnsupportedBase,
    field,
    secret,
)

T = TypeVar("T")


@dataclasses.dataclass
class Changing:
    x: int = 0


@dataclasses.dataclass(frozen=True)
class FrozenAroundChanging:
    inner: list[int]


class Handler:
    def handle(self) -> None: ...


class OwnTuple(tuple):  # noqa: SLOT001 - a subclass with a __dict__ is what is tried
    pass


MUTABLE = {
    "list": [],
    "dict": {},
    "set": set(),
    "bytearray": bytearray(),
    "deque": deque(),
    "object": Changing(),
    "list in a tuple": (1, ([],)),
    "list in a frozen dataclass": FrozenAroundChanging([]),
    "tuple with a __dict__": OwnTuple(),
    "partial": functools.partial(print, []),
    "method of a list": [].append,
    "method of an object": Handler().handle,
    "memoryview": memoryview(b""),
    "generator": (x for x in ()),
}


@pytest.mark.parametrize("kind", MUTABLE)
@pytest.mark.parametrize("through_field", [False, True])
def test_mutable_default_is_refused(kind, through_field):
    """H03: a default that one request could change for the next ones."""
    value = MUTABLE[kind]
    with pytest.raises(MutableDefault, match=r"Shop\.rows has a mutable default.*field\(factory="):

        class Shop(Context):
            rows: Any = field(default=value) if through_field else value


def test_mutable_default_names_the_factory_to_write():
    with pytest.raises(MutableDefault, match=r"Write rows: … = field\(factory=list\)"):

        class Shop(Context):
            rows: list[int] = []  # noqa: RUF012


def test_missing_default_is_refused():
    with pytest.raises(
        MissingDefault, match=r"Shop\.name has no default: write name: … = None, or = field\(factory=…\)"
    ):

        class Shop(Context):
            name: str


def test_attribute_without_annotation_is_refused():
    with pytest.raises(NotAField, match=r"Shop\.limit has no annotation: .* limit: ClassVar\[…\] for a constant"):

        class Shop(Context):
            limit = 3


def test_field_without_annotation_is_refused():
    with pytest.raises(NotAField, match=r"Shop\.rows has no annotation"):

        class Shop(Context):
            rows = field(factory=list)


def test_cached_property_is_refused():
    with pytest.raises(
        UnsupportedBase, match=r"Shop\.total: cached_property needs a __dict__; declare total: … = None"
    ):

        class Shop(Context):
            @functools.cached_property
            def total(self) -> int:
                return 1


REFUSED_ARGUMENTS = {
    "neither": ({}, "either default= .* or factory="),
    "both": ({"default": 1, "factory": list}, "either default= .* or factory="),
    "factory that is no function": ({"factory": []}, "a function without arguments"),
    "reset alone": ({"default": 1, "reset": list.clear}, "beside factory="),
    "reset that is no function": ({"factory": list, "reset": "clear"}, "beside factory="),
    "sensitive with reset": ({"factory": list, "reset": list.clear, "sensitive": True}, "leave out reset="),
}


@pytest.mark.parametrize("case", REFUSED_ARGUMENTS)
def test_contradictory_arguments_of_field_are_refused(case):
    arguments, advice = REFUSED_ARGUMENTS[case]
    with pytest.raises(DefinitionError, match=advice):
        field(**arguments)


@pytest.mark.parametrize("capacity", [0, -1, True, 1.5, "64", None])
def test_capacity_of_secret_is_checked(capacity):
    """H40: the message names the option and what it takes."""
    with pytest.raises(BadOption, match=r"capacity=.*a whole number of at least 1"):
        secret(capacity=capacity)


def test_a_factory_may_say_what_it_holds():
    """``set[str]`` is for type checkers; the field is emptied in place, as with ``set``."""

    class Typed(RequestContext):
        roles: set[str] = field(factory=set[str])

    class Plain(RequestContext):
        roles: set[str] = field(factory=set)

    assert Typed.describe() == Plain.describe()
    assert Typed().roles == set()


def test_everything_without_state_of_its_own_is_allowed():
    class Allowed(RequestContext, Generic[T]):
        """A docstring."""

        limit: ClassVar[int] = 3
        registry: typing.ClassVar[dict[str, int]] = {"rows": 1}
        bare: ClassVar = 4
        tenant: str = ""
        note: Annotated[T | None, "metadata"] = None
        roles: set[str] = field(factory=set)
        token: SecretField = secret()
        __slots__ = ()

        @property
        def shouted(self) -> str:
            return self.tenant.upper()

        @shouted.setter
        def shouted(self, value: str) -> None:
            self.tenant = value.lower()

        def greet(self) -> str:
            return f"hello {self.tenant}"

        @classmethod
        def kind(cls) -> str:
            return cls.__name__

        @staticmethod
        def version() -> int:
            return self_version()

        with_limit = functools.partialmethod(greet)

        class Nested:
            pass

    def self_version() -> int:
        return 7

    ctx = Allowed[int](tenant="acme")
    ctx.shouted = "SHOP"
    assert (ctx.shouted, ctx.greet(), ctx.kind(), ctx.version()) == ("SHOP", "hello shop", "Allowed", 7)
    assert [row.name for row in Allowed.describe()[4:]] == ["tenant", "note", "roles", "token"]
    assert Allowed.registry == {"rows": 1}


class Plain:
    __slots__ = ()

    def greet(self) -> str:
        return "hello"


def test_plain_base_without_state_is_allowed():
    class Shop(Context, Plain):
        name: str = ""

    assert Shop().greet() == "hello"


class Named(Protocol):
    name: str


def test_context_satisfies_a_protocol_without_deriving_from_it():
    class Shop(Context):
        name: str = ""

    named: Named = Shop(name="acme")
    assert named.name == "acme"
