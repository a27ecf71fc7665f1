"""What the applications do alike, whatever the framework."""

import json
import re
import uuid
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from poolware_compare.apps.answers import (
    CATALOGUE_BYTES,
    EXPORT_HEAD,
    MAX_ROWS,
    MAX_SCRATCH_BYTES,
    PAGE,
    PRODUCTS,
    RECEIPT_HEAD,
    REQUEST_ID,
    STORY,
    export_rows,
)
from poolware_compare.apps.objects import KINDS, Kind


class BadRequest(ValueError):
    """The client asked for what there is not."""


def request_id(asked: str | None) -> str:
    """Return the valid incoming X-Request-ID, else a fresh hex id."""
    return asked if asked is not None and REQUEST_ID.fullmatch(asked) else uuid.uuid4().hex


def signed_in(ctx: Any, user: str, authorization: str | None) -> None:
    """Note in the context who is asking."""
    ctx.user = user
    ctx.tenant = "acme"
    ctx.roles.add("reader")
    ctx.params["user"] = user
    if authorization:
        ctx.token = authorization.removeprefix("Bearer ")


kept: deque[Any] = deque(maxlen=8)


def described(ctx: Any, then: str = "") -> dict[str, Any]:
    """Return what the context holds. For soaks, `then` keeps it beyond the response's end, or fails."""
    if then == "keep":
        kept.append(ctx)
    elif then == "fail":
        msg = "as asked"
        raise RuntimeError(msg)
    return {"user": ctx.params["user"], "tenant": ctx.tenant, "roles": sorted(ctx.roles), "request_id": ctx.request_id}


def sizes(size: int, used: int) -> tuple[int, int]:
    """Check what is asked of a scratch buffer."""
    if not 1 <= used <= size <= MAX_SCRATCH_BYTES:
        msg = f"takes 1 to {MAX_SCRATCH_BYTES} bytes, and not more used than there are"
        raise BadRequest(msg)
    return size, used


def fill(room: memoryview) -> None:
    """Put the story in."""
    room[:] = STORY[: len(room)]


def shouted(room: memoryview) -> str:
    """Turn the text into capital letters and return its check sum."""
    room[:] = room.tobytes().upper()
    return f"{zlib.crc32(room):08x}"


def count_in(room: memoryview, word: str) -> int:
    """Look through the shop's catalogue."""
    fill(room)
    return len(re.findall(re.escape(word.encode()), room))


def catalogue_size() -> int:
    """Return how large it is."""
    return CATALOGUE_BYTES


def rows(count: int) -> tuple[tuple[str, ...], Iterator[tuple[object, ...]]]:
    """Return head and rows of an export."""
    if not 1 <= count <= MAX_ROWS:
        msg = f"rows takes 1 to {MAX_ROWS}"
        raise BadRequest(msg)
    return EXPORT_HEAD, export_rows(count)


def kind(name: str) -> Kind:
    """Return the kind of object with this name."""
    if name not in KINDS:
        msg = f"one of {', '.join(KINDS)}"
        raise BadRequest(msg)
    return KINDS[name]


def used(an_object: Any, of: Kind) -> str:
    """Use an object and answer the same whatever it said."""
    of.use(an_object)
    return "used"


def page_bounds(number: int) -> tuple[int, int]:
    """Return the first and the last product of a page."""
    last = PRODUCTS // PAGE - 1
    if not 0 <= number <= last:
        msg = f"page takes 0 to {last}"
        raise BadRequest(msg)
    return number * PAGE + 1, (number + 1) * PAGE


def pieces(records: Iterable[Any]) -> list[bytes]:
    """Return JSON in pieces, ready to be compressed."""
    return [json.dumps(record).encode() + b"\n" for record in records]


def cart_of(body: bytes) -> dict[int, int]:
    """Read a cart {product: count}."""
    try:
        return {int(number): int(count) for number, count in json.loads(body)["cart"].items()}
    except (ValueError, KeyError, AttributeError, TypeError):
        msg = 'takes JSON such as {"cart": {"17": 2}}'
        raise BadRequest(msg) from None


def receipt(cart: dict[int, int], found: Iterable[tuple[int, str, int]]) -> Any:
    """Return head and rows of a receipt; `found` are id, title and price of the products."""
    return RECEIPT_HEAD, ((number, title, cart[number], price * cart[number]) for number, title, price in found)


def receipt_query(cart: dict[int, int]) -> str:
    """Return the query for what is in the cart."""
    return f"select id, title, price from product where id in ({','.join('?' * len(cart))})"
