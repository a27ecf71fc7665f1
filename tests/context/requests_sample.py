"""The context class and the requests that most tests of this folder use."""

import datetime
from typing import Any

from fresh_or_reused import Cart

from poolware import RequestContext, SecretField, field, secret


class AppContext(RequestContext):
    tenant: str = ""
    since: datetime.date = datetime.date.min
    roles: set[str] = field(factory=set)
    cart: Cart = field(factory=Cart)
    basket: Cart = field(factory=Cart, reset=Cart.clear)
    email: str | None = field(default=None, sensitive=True)
    grants: dict[str, Any] = field(factory=dict, sensitive=True)
    token: SecretField = secret(capacity=8)


def http_scope(path: str = "/orders/17", *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": path, "query_string": b"q=geheim", "headers": list(headers)}
