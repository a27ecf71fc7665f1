"""Context classes of every shape, and what a request may write into them, as Hypothesis draws them."""

import datetime
import decimal
import enum
import ipaddress
import pathlib
import re
import types
import uuid
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass
from typing import Any

from fresh_or_reused import Cart, Mark
from hypothesis import strategies as st

from poolware import Context, RequestContext, SecretField, field, secret


class Colour(enum.Enum):
    RED = 1


@dataclass(frozen=True)
class Point:
    x: int = 0


class Inner(Context):
    rows: list[Any] = field(factory=list)
    note: Any = None


def fails(_part: object) -> None:
    raise ValueError("reset failed")


DEFAULTS = st.sampled_from([
    *(None, True, 0, 1.5, 2j, "", "text", b"", b"raw", (), (1, ("x", frozenset({2}))), frozenset({1}), range(3), ...),
    *(int, len, fails, re.compile("x"), datetime.date.min, datetime.UTC),
    *(datetime.datetime(1, 1, 1, tzinfo=datetime.UTC), datetime.timedelta(1)),
    *(decimal.Decimal(1), uuid.UUID(int=1), pathlib.PurePosixPath("/"), ipaddress.ip_address("::1")),
    *(Colour.RED, Point()),
])  # fmt: skip
FACTORIES = st.sampled_from([
    *(dict, list, set, bytearray, deque, OrderedDict, Cart, Inner),
    *(lambda: defaultdict(list), lambda: [[]], lambda: {"k": []}, lambda: bytearray(b"new"), lambda: (1, 2)),
])  # fmt: skip
VOUCHED = st.sampled_from([
    *((Cart, Cart.clear), (list, list.clear), (dict, dict.clear), (Cart, fails)),
    (lambda: [*()], lambda part: part.clear()),
])  # fmt: skip
PLAIN_FIELDS = (
    DEFAULTS
    | st.builds(lambda default, s: field(default=default, sensitive=s), DEFAULTS, st.booleans())
    | st.builds(lambda factory, s: field(factory=factory, sensitive=s), FACTORIES, st.booleans())
    | st.builds(lambda pair: field(factory=pair[0], reset=pair[1]), VOUCHED)
)
SECRET_FIELDS = st.builds(lambda capacity: secret(capacity=capacity), st.integers(1, 9))
PLAIN_NAMES = ["a", "b", "c", "d", "user", "params"]
SECRET_NAMES = ["s", "t"]
BODIES = st.builds(
    lambda plain, secrets: plain | secrets,
    st.dictionaries(st.sampled_from(PLAIN_NAMES), PLAIN_FIELDS, max_size=5),
    st.dictionaries(st.sampled_from(SECRET_NAMES), SECRET_FIELDS, max_size=2),
)


def define(name: str, bases: tuple[type, ...], body: dict[str, Any], *, mixin: bool = False) -> Any:
    annotations = {field: SecretField if field in SECRET_NAMES else Any for field in body}
    return types.new_class(name, bases, {"mixin": mixin}, lambda ns: ns.update(body, __annotations__=annotations))


@st.composite
def context_classes(draw: Any, bases: st.SearchStrategy[type]) -> Any:
    """Fields in a class, in those it derives from and in mixins, some declared again further down."""
    base = draw(bases)
    mixins: list[type] = []
    for number, body in enumerate(draw(st.lists(BODIES, max_size=2))):
        above = mixins.pop() if mixins and draw(st.booleans()) else Context
        mixins.append(define(f"Mixin{number}", (above,), body, mixin=True))
    made = base
    for number, body in enumerate(draw(st.lists(BODIES, min_size=1, max_size=3))):
        above = (made,) if number or base is not Context or not mixins else ()
        made = define(f"Level{number}", (*(mixins if number == 0 else ()), *above), body)
    return made


# What to write is drawn as a recipe and built by the test, so that Hypothesis keeps no reference to it.
LEAVES = st.sampled_from(
    [0, "x", "geheim-ü", None, b"bytes", "<self>", "<context>", "<bytearray>", "<shared list>", "<shared dict>"]
)
CONTAINERS = st.sampled_from(["list", "dict", "tuple", "cart", "deque"])
VALUES = st.recursive(LEAVES, lambda inner: st.tuples(CONTAINERS, st.lists(inner, max_size=3).map(tuple)), max_leaves=6)


@dataclass(frozen=True)
class Writes:
    """What one request does to its context."""

    inside: dict[str, Any]
    """Put into what the context made."""
    values: dict[str, Any]
    """Assigned in place of what the context made."""
    secrets: dict[str, str]

    def apply(self, ctx: Any, shared: dict[str, Any]) -> None:
        fields = type(ctx).__poolware_fields__
        for name in self.inside.keys() & fields:
            _put_inside(getattr(ctx, name), _build(self.inside[name], ctx, shared))
        for name in self.values.keys() & fields:
            setattr(ctx, name, _build(self.values[name], ctx, shared))
        for name in self.secrets.keys() & fields:
            setattr(ctx, name, self.secrets[name])
        if isinstance(ctx, RequestContext):
            ctx.request_id = "written"


WRITES = st.builds(
    Writes,
    st.dictionaries(st.sampled_from(PLAIN_NAMES), LEAVES),
    st.dictionaries(st.sampled_from([*PLAIN_NAMES, "response"]), VALUES),
    st.dictionaries(st.sampled_from(SECRET_NAMES), st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)),
)


def _build(recipe: Any, ctx: Any, shared: dict[str, Any]) -> Any:
    match recipe:
        case (kind, items):
            built = [Mark(), *(_build(item, ctx, shared) for item in items)]
            cart = Cart()
            cart.items, cart.extra = built, Mark()
            as_dict = {Mark(): built, "k": built}
            return {"list": built, "dict": as_dict, "tuple": tuple(built), "cart": cart, "deque": deque(built)}[kind]
        case "<self>":
            return ctx
        case "<context>":
            return Inner(rows=[Mark()], note=Mark())
        case "<bytearray>":
            return bytearray(b"dirty")
    return shared.get(recipe, recipe)


def _put_inside(part: Any, value: Any) -> None:
    match part:
        case dict():
            part[Mark()] = value
        case list() | deque():
            part.append([Mark(), value])
        case set():
            part.add(Mark())
        case bytearray():
            part += b"dirty"
        case Cart():
            part.items.append(value)
            part.extra = Mark()
        case Inner():
            part.rows.append(value)
            part.note = Mark()
