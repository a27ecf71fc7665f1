"""What every arm answers: the data, the limits and the expected results, shared by the apps and the Locust files."""

import json
import re
import zlib
from collections.abc import Iterator

MAX_ROWS = 5000
MAX_SCRATCH_BYTES = 16 << 20
MAX_UPLOAD_BYTES = 8 << 20
CHUNK_BYTES = 64 << 10
CATALOGUE_BYTES = 256 << 10
ZSTD_LEVEL = 3
PAGE = 20
PRODUCTS = 1000
STORE_SECONDS = 0.001
"""How long the store of stories takes to answer, where it is asked."""

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

STORY = b"the quick brown fox jumps over the lazy dog. " * (MAX_SCRATCH_BYTES // 45)
ITEMS: list[dict[str, int | str]] = [
    {"id": number, "title": f"Item number {number}", "author": f"user{number % 7}", "score": number * 37 % 101}
    for number in range(1, 31)
]
FEED_PIECES = json.dumps({"items": ITEMS}).encode().replace(b"}, {", b"}, \n{").splitlines()
"""The feed as it is put together from a database with a JSON column."""


def product(number: int) -> list[str | int]:
    """Return title, stock and price of a product, as both databases have them."""
    return [f"Product number {number}", number * 37 % 101, number * 7919 % 100_000]


def page(number: int) -> list[list[str | int]]:
    """Return what page `number` of the shop shows."""
    first = number * PAGE + 1
    return [product(each) for each in range(first, first + PAGE)]


def found(word: str) -> int:
    """Return how often `word` occurs in the catalogue that the shop's search looks through."""
    return STORY[:CATALOGUE_BYTES].count(word.encode())


def export_rows(count: int) -> Iterator[tuple[int, str, str]]:
    """Yield the `count` rows (id, name, amount) of an export."""
    for number in range(1, count + 1):
        yield number, f"name {number}", f"{number * 7919 % 100_000 / 100:.2f}"


def csv_text(head: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> str:
    """Return rows as CSV."""
    lines = [",".join(head), *(",".join(map(str, row)) for row in rows)]
    return "\r\n".join(lines) + "\r\n"


EXPORT_HEAD = ("id", "name", "amount")
RECEIPT_HEAD = ("id", "title", "count", "price")


def receipt_rows(cart: dict[int, int]) -> Iterator[tuple[int, str, int, int]]:
    """Yield the rows of the receipt for a cart {product: count}."""
    for number, count in cart.items():
        title, _, price = product(number)
        yield number, str(title), count, int(price) * count


def scratched(used: int) -> str:
    """Return the answer to `GET /scratch/{size}/{used}`: the check sum of so much text in capital letters."""
    return f"{zlib.crc32(STORY[:used].upper()):08x}"
