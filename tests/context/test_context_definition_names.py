"""What a field may be called: nothing may hide, or be hidden by, what is there already."""

import pytest

from poolware import Context, FieldNameError, ObjectPool, RequestContext, SecretField, field, secret


def define(bases, **body):
    return type(Context)("Shop", bases, {"__annotations__": dict.fromkeys(body, "object"), **body})


@pytest.mark.parametrize(
    "name", ["_lent", "_carrier", "_request_id", "_home", "_secret__token", "__dict__", "__class__"]
)
def test_reserved_name_is_refused(name):
    with pytest.raises(FieldNameError, match=rf"Shop\.{name}: this name is poolware's own; choose another"):
        define((Context,), **{name: None})


@pytest.mark.parametrize("name", ["of", "describe", "borrow", "buffer", "detach", "request_id"])
def test_name_of_a_method_is_refused(name):
    with pytest.raises(FieldNameError, match=rf"Shop\.{name} hides RequestContext\.{name}; choose another name"):
        define((RequestContext,), **{name: None})


@pytest.mark.parametrize("bases", [(Context,), (RequestContext,)])
def test_secret_cannot_become_plain_nor_plain_secret(bases):
    class Plain(*bases):
        key: str = ""

    class Hidden(*bases):
        key: SecretField = secret()

    for base, value in ((Plain, secret()), (Hidden, "")):
        with pytest.raises(FieldNameError, match=r"Shop\.key is a secret in one class and a plain field in the other"):
            define((base,), key=value)


@pytest.mark.parametrize("secret_first", [False, True])
def test_mixins_must_agree_on_what_is_secret(secret_first):
    class Plain(Context, mixin=True):
        key: str = ""

    class Hidden(Context, mixin=True):
        key: SecretField = secret()

    with pytest.raises(FieldNameError, match=r"Shop\.key is a secret in one class and a plain field in the other"):
        define((Hidden, Plain) if secret_first else (Plain, Hidden))


HIDING = {
    "method": lambda self: "hidden",
    "property": property(lambda self: "hidden"),
    "class": type("Nested", (), {}),
}


@pytest.mark.parametrize("kind", HIDING)
def test_inherited_field_cannot_be_hidden(kind):
    class Base(Context):
        name: str = ""

    with pytest.raises(FieldNameError, match=r"Shop\.name hides an inherited field"):
        type(Context)("Shop", (Base,), {"name": HIDING[kind]})


def test_new_default_without_annotation_is_refused_with_what_to_write():
    class Base(Context):
        name: str = ""

    with pytest.raises(FieldNameError, match=r"to change its default write name: … = 'acme'"):
        type(Context)("Shop", (Base,), {"name": "acme"})


@pytest.mark.parametrize("kind", HIDING)
def test_field_of_one_base_cannot_be_hidden_by_another(kind):
    """The clash is told where the class is defined, not by the first request."""

    class Base(Context):
        name: str = ""

    hiding = type(Context)("Hiding", (Context,), {"name": HIDING[kind]}, mixin=True)
    with pytest.raises(FieldNameError, match="name"):
        type(Context)("Shop", (hiding, Base), {})


def test_redeclared_field_reuses_the_inherited_slot():
    class Base(Context):
        name: str = "base"
        rows: list[int] = field(factory=list)
        key: SecretField = secret()

    class Shop(Base):
        name: str = "shop"
        rows: tuple[int, ...] = ()
        key: SecretField = secret(capacity=8)

    assert vars(Shop)["__slots__"] == ()
    assert [row.name for row in Shop.describe()] == ["name", "rows", "key"]
    shop = ObjectPool(Shop).acquire()
    shop.key = "abc"
    assert (shop.name, shop.rows, shop.key.reveal()) == ("shop", (), b"abc")
    assert (Base().name, Base().rows) == ("base", [])


@pytest.mark.parametrize("name", ["self", "cls", "values", "pop", "lent", "default_0", "größe"])
def test_other_names_are_free(name):
    """Also those that the generated code uses, and that keyword construction could confuse with its own."""
    shop_class = define((RequestContext,), **{name: None})
    pool = ObjectPool(shop_class)
    for _ in range(2):
        ctx = pool.acquire()
        assert getattr(ctx, name) is None
        setattr(ctx, name, "written")
        assert getattr(ctx.detach(), name) == "written"
        pool.release(ctx)
        del ctx
