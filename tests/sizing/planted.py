"""Objects of which it is known whether a pool pays, and some that cannot be pooled."""

import json
import sqlite3

import zstandard

from poolware import Context, RequestContext, field

DOCUMENT = json.dumps([{"id": n, "title": f"Item number {n}", "score": n * 37 % 101} for n in range(40)]).encode()
registry = []
one = []


class Number:
    __slots__ = ("value",)

    def __init__(self):
        self.value = 0


class Job(Context):
    name: str = ""
    rows: list[int] = field(factory=list)


class Visitor(RequestContext):
    """A context with every kind of field."""

    basket: dict[str, int] = field(factory=dict)
    email: str | None = field(default=None, sensitive=True)


def scratch():
    return bytearray(4 << 20)


def compressor():
    return zstandard.ZstdCompressor(level=3)


def compress(compressor):
    compressor.compress(DOCUMENT)


def connection():
    return sqlite3.connect(":memory:", check_same_thread=False)


def registered():
    registry.append(bytearray(100))
    return registry[-1]


def the_same():
    return one


def generator():
    yield 1


async def coroutine():
    return 1


def broken():
    raise LookupError("no configuration for ☃")


def leaving():
    raise SystemExit(3)


def needs_argument(size):
    return bytearray(size)


def cannot_use(_obj):
    raise KeyError("nothing here")


def exhausted():
    """As a server that accepts five connections."""
    registry.append(None)
    if len(registry) > 5:
        registry.clear()
        raise ConnectionError("no more than 5")
    return bytearray(10)


class ClosesBadly:
    def close(self):
        raise OSError("bad descriptor")


class ClosesOddly:
    @property
    def close(self):
        raise ValueError("not yet")
