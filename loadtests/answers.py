"""What every arm answers: the data, the limits and the expected results, shared by the apps and the Locust files."""

import json
import re
import zlib
from collections.abc import Iterator

MAX_ROWS = 5000
MAX_TRANSFORM_BYTES = 1 << 20
MAX_UPLOAD_BYTES = 8 << 20
SCRATCH_BYTES = 4 << 20
CHUNK_BYTES = 64 << 10
ZSTD_LEVEL = 3

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

STORY = b"the quick brown fox jumps over the lazy dog. " * 24_000
ITEMS = [
    {"id": number, "title": f"Item number {number}", "author": f"user{number % 7}", "score": number * 37 % 101}
    for number in range(1, 31)
]
FEED_PIECES = json.dumps({"items": ITEMS}).encode().replace(b"}, {", b"}, \n{").splitlines()
"""The feed as it is put together from a database with a JSON column."""
STORE_SECONDS = 0.001
"""How long the store of stories takes to answer."""


def report_rows(count: int) -> Iterator[tuple[int, str, str]]:
    """Yield the `count` rows (id, name, amount) of a report."""
    for number in range(1, count + 1):
        yield number, f"name {number}", f"{number * 7919 % 100_000 / 100:.2f}"


def report_csv(count: int) -> str:
    """Return the whole report of `count` rows as every arm must send it."""
    lines = ["id,name,amount", *(",".join(map(str, row)) for row in report_rows(count))]
    return "\r\n".join(lines) + "\r\n"


def transformed(size: int) -> str:
    """Return the answer to `GET /transform/{size}`."""
    return f"{zlib.crc32(STORY[:size].upper()):08x}"
