"""The ten-field object, written by hand and as a context, and what requests write to it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from poolware import Context, RequestContext, field


class Slotted:
    """The hand-written object: ten fields, among them a dict and a list."""

    __slots__ = ("cart", "email", "locale", "name", "page", "params", "role", "tenant", "total", "user")

    def __init__(self) -> None:
        self.user: Any = None
        self.tenant = ""
        self.page = 0
        self.role: Any = None
        self.locale: Any = None
        self.name = ""
        self.total = 0
        self.email: Any = None
        self.params: dict[str, Any] = {}
        self.cart: list[Any] = []


class Ten(Context):
    """The same ten fields as a context."""

    user: Any = None
    tenant: str = ""
    page: int = 0
    role: Any = None
    locale: Any = None
    name: str = ""
    total: int = 0
    email: Any = None
    params: dict[str, Any] = field(factory=dict)
    cart: list[Any] = field(factory=list)


class TenOfRequest(RequestContext):
    """The same beside what every request's context has; `user` and `params` are among that."""

    tenant: str = ""
    page: int = 0
    role: Any = None
    locale: Any = None
    name: str = ""
    total: int = 0
    email: Any = None
    cart: list[Any] = field(factory=list)


NAMESPACE = (
    "SimpleNamespace(user=None, tenant='', page=0, role=None, locale=None, name='', total=0, email=None,"
    " params={}, cart=[])"
)
USER = object()


def three(obj: Any) -> Any:
    obj.user = USER
    obj.tenant = "acme"
    obj.page = 3
    return obj


def four_and_entry(obj: Any) -> Any:
    obj.user = USER
    obj.tenant = "acme"
    obj.page = 3
    obj.role = "admin"
    obj.params["id"] = 17
    return obj


def all_ten(obj: Any) -> Any:
    obj.user = USER
    obj.tenant = "acme"
    obj.page = 3
    obj.role = "admin"
    obj.locale = "en"
    obj.name = "Ann"
    obj.total = 42
    obj.email = "ann@example.org"
    obj.params = {"id": 17}
    obj.cart = [17]
    return obj


def five_items_each(obj: Any) -> Any:
    params, cart = obj.params, obj.cart
    for item in ("a", "b", "c", "d", "e"):
        params[item] = item
        cart.append(item)
    return obj


WRITES = {
    "3 fields written": three,
    "4 fields and a dict entry written": four_and_entry,
    "10 fields written": all_ten,
    "5 items in each container": five_items_each,
}
NAMES: dict[str, Any] = {"Slotted": Slotted, "SimpleNamespace": SimpleNamespace}
NAMES |= {write.__name__: write for write in WRITES.values()}
