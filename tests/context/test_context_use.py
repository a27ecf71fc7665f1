"""Making a context, reading and writing its fields, and what it says about itself."""

import copy
import pickle
from typing import Any, Generic, TypeVar

import pytest
from fresh_or_reused import Cart
from requests_sample import AppContext

from poolware import (
    BadOption,
    Context,
    ContextDetached,
    FieldDescription,
    NotCopyable,
    ObjectPool,
    RequestContext,
    SecretField,
    UnknownOption,
    field,
    secret,
)

T = TypeVar("T")


def test_keyword_construction():
    ctx = AppContext(tenant="acme", token="abc", roles={"admin"}, request_id="r-1")
    assert (ctx.tenant, ctx.token.reveal(), ctx.roles, ctx.request_id) == ("acme", b"abc", {"admin"}, "r-1")
    assert (ctx.user, ctx.params, ctx.cart.items, ctx.email) == (None, {}, [], None)


def test_two_contexts_share_nothing_mutable():
    first, second = AppContext(), AppContext()
    first.roles.add("admin")
    first.cart.items.append(1)
    assert (second.roles, second.cart.items) == (set(), [])


class Job(Context):
    name: str = ""
    rows: list[Any] = field(factory=list)


class Empty(Context):
    pass


@pytest.mark.parametrize("name", ["nmae", "_lent", "_home", "of", "request_id", "__class__"])
def test_unknown_keyword_is_refused(name):
    with pytest.raises(UnknownOption, match=rf"Job has no field '{name}'; it has name, rows"):
        Job(**{name: "x"})


def test_unknown_keyword_where_there_are_no_fields():
    with pytest.raises(UnknownOption, match="Empty has no field 'x'; it has none"):
        Empty(x=1)


@pytest.mark.parametrize("make", [AppContext, ObjectPool(AppContext).acquire, AppContext().detach])
def test_undeclared_assignment_raises(make):
    """H02: on a context of one's own, of a pool, and on a detached one."""
    ctx = make()
    with pytest.raises(AttributeError):
        ctx.tennant = "acme"
    with pytest.raises(AttributeError):
        _ = ctx.tennant


def test_describe_has_a_row_for_each_field():
    rows = {row.name: row for row in AppContext.describe()}
    assert list(rows) == [
        *("started_at", "user", "params", "response"),
        *("tenant", "since", "roles", "cart", "basket", "email", "grants", "token"),
    ]
    assert rows["tenant"] == FieldDescription("tenant", "str", "''", "default", sensitive=False, vouched=False)
    assert rows["cart"] == FieldDescription(
        "cart", "fresh_or_reused.Cart", "Cart()", "rebuilt", sensitive=False, vouched=False
    )
    assert rows["email"] == FieldDescription("email", "str | None", "None", "default", sensitive=True, vouched=False)
    assert (rows["token"].default, rows["token"].resets, rows["token"].sensitive) == ("empty", "wiped", True)
    assert (rows["roles"].type, rows["roles"].default) == ("set[str]", "set()")


def test_describe_marks_what_is_reused_on_the_authors_word():
    """H43: the vouched form is marked."""
    vouched = [row for row in AppContext.describe() if row.vouched]
    assert [(row.name, row.resets) for row in vouched] == [("basket", "reset by Cart.clear")]


def test_describe_hides_a_sensitive_default():
    """H15: also in what the class says about itself."""

    class Shop(Context):
        key: str = field(default="geheim", sensitive=True)

    assert Shop.describe()[0].default == "…"


def test_repr_hides_what_is_sensitive():
    """H15: fields, secrets, and secrets inside of other fields."""
    ctx = AppContext(tenant="acme", email="geheim@x", token="geheim", grants={"geheim": 1})
    ctx.user = {"token": ctx.token}
    shown = repr(ctx)
    assert "tenant='acme'" in shown
    assert "token=<Secret set>" in shown
    assert "email=…" in shown
    assert "grants=…" in shown
    assert "geheim" not in shown + str(ctx) + f"{ctx}" + repr(ctx.detach())


def test_repr_of_large_values_is_short():
    assert len(repr(AppContext(tenant="x" * 10_000, params={n: n for n in range(1000)}))) < 1000


def test_repr_of_a_context_that_holds_itself():
    ctx = AppContext()
    ctx.user = ctx
    assert "AppContext" in repr(ctx)
    ctx.user = None


COPYING = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": pickle.dumps, "old pickle": lambda o: o.__reduce__()}


@pytest.mark.parametrize("how", ["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("make", [AppContext, ObjectPool(AppContext).acquire])
def test_copying_is_refused(how, make):
    with pytest.raises(NotCopyable, match=r"^AppContext is neither copied nor pickled.* Use ctx\.detach\(\)"):
        COPYING[how](make())


class Box(RequestContext, Generic[T]):
    content: T | None = None


def test_generic_context():
    box = Box[int](content=1)
    assert (type(box), box.content) == (Box, 1)

    class IntBox(Box[int]):
        more: int = 0

    pool = ObjectPool(IntBox)
    with pool.lease() as ctx:
        ctx.content = 2
    assert pool.acquire().content is None


@pytest.mark.parametrize("make", [AppContext, ObjectPool(AppContext).acquire().detach])
def test_borrowing_outside_of_a_request_is_refused(make):
    """Nothing would give it back."""
    ctx = make()
    with pytest.raises(ContextDetached, match=r"AppContext belongs to no request.*pool\.lease"):
        ctx.borrow(ObjectPool(list, reset=list.clear))
    with pytest.raises(ContextDetached):
        ctx.buffer(10)


@pytest.mark.parametrize("pool", [None, [], Cart()])
def test_borrowing_from_what_is_no_pool_is_refused(pool):
    with pytest.raises(BadOption, match=r"borrow\(.*takes a pool"):
        ObjectPool(Job).acquire().borrow(pool)


class Hidden(Context):
    token: SecretField = secret()


def test_secret_of_the_class_is_its_description():
    assert isinstance(Hidden.token, SecretField)
