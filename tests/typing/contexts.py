"""Fields of a context: what they read as, and what may be assigned to them."""

from __future__ import annotations

import datetime
from typing import Any, assert_type

from poolware import Context, FieldDescription, RequestContext, Secret, SecretField, field, secret


class Cart:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def clear(self) -> None:
        self.lines.clear()


class AppContext(RequestContext):
    tenant: str = ""
    visits: int = 0
    seen_at: datetime.datetime | None = None
    roles: set[str] = field(factory=set)  # pyright: ignore[reportUnknownVariableType]
    totals: dict[str, int] = field(factory=dict[str, int])
    rebuilt: Cart = field(factory=Cart)
    vouched: Cart = field(factory=Cart, reset=Cart.clear)
    email: str | None = field(default=None, sensitive=True)
    pin: bytes = field(default=b"", sensitive=True, overwrite=True)
    token: SecretField = secret()
    long_token: SecretField = secret(capacity=4096)


def fields_read_as_declared(ctx: AppContext) -> None:
    assert_type(ctx.tenant, str)
    assert_type(ctx.visits, int)
    assert_type(ctx.seen_at, datetime.datetime | None)
    assert_type(ctx.roles, set[str])
    assert_type(ctx.totals, dict[str, int])
    assert_type(ctx.rebuilt, Cart)
    assert_type(ctx.vouched, Cart)
    assert_type(ctx.email, str | None)
    assert_type(ctx.pin, bytes)


def inherited_fields(ctx: AppContext) -> None:
    assert_type(ctx.request_id, str)
    assert_type(ctx.started_at, float)
    assert_type(ctx.params, dict[str, Any])
    assert_type(ctx.user, Any)


def fields_take_what_they_are_declared_to_be(ctx: AppContext) -> None:
    ctx.tenant = "acme"
    ctx.email = "ada@example.org"
    ctx.roles = {"admin"}
    ctx.request_id = "r-1"
    ctx.tenant = 1  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    ctx.email = b""  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    ctx.roles = ["admin"]  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    ctx.roles.add(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ctx.tennant = "acme"  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def secrets_take_text_and_bytes_and_read_as_secrets(ctx: AppContext) -> None:
    ctx.token = "open sesame"
    ctx.token = b"open sesame"
    ctx.token = bytearray(b"open sesame")
    ctx.token = ctx.long_token
    assert_type(ctx.token.reveal(), bytes)
    assert_type(ctx.token.reveal_text(), str)
    assert_type(ctx.long_token.reveal_text(), str)
    assert_type(bool(ctx.long_token), bool)
    assert_type(AppContext.token, SecretField)
    as_secret: Secret = ctx.token
    as_secret.set("another")
    ctx.token = None  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    ctx.token = 7  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]


class Mistaken(Context):
    number: int = field(default="")  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    names: set[str] = field(factory=dict)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType, reportUnknownVariableType]
    sealed: Cart = field(factory=Cart, reset=str.lower)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
    both: set[str] = field(default=set(), factory=set)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportUnknownVariableType]
    neither: str = field(sensitive=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportUnknownVariableType]
    token: SecretField = secret(capacity="64")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class Audited(Context, mixin=True):
    audit: list[str] = field(factory=list[str])


class Billing(AppContext, Audited):
    invoice: int | None = None


def construction_detaching_and_describing(ctx: Billing) -> None:
    assert_type(Billing(tenant="acme", invoice=1), Billing)
    assert_type(ctx.detach(), Billing)
    assert_type(ctx.audit, list[str])
    assert_type(Billing.describe(), tuple[FieldDescription, ...])
    assert_type(Billing.describe()[0].sensitive, bool)
    Billing(token="open sesame", request_id="r-1", user=object())
    AppContext("acme")  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
    Billing(invoice="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Billing(tennant="acme")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert_type(hash(ctx), int)
