"""Kinds of objects from 100 ns to some milliseconds to make, for the gain map."""

import argparse
import decimal
import random
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import zstandard
from jinja2 import Environment

from poolware_compare.apps.answers import FEED_PIECES
from poolware_compare.apps.connections import FIND, new_sqlite

PAGE = b"x" * 4096
TEMPLATE = "\n".join(f"{{% if shown > {line} %}}<li>{{{{ line{line} }}}}</li>{{% endif %}}" for line in range(14))


@dataclass(frozen=True, eq=False)  # looked up by identity: comparing would cost more than the smallest object
class Kind:
    """A kind of object: how one is made, what a request does with it, and how it is set back by hand."""

    make: Callable[[], Any]
    use: Callable[[Any], object]
    reset: Callable[[Any], object] | None = None
    refers_to_itself: bool = False
    """Nothing can prove that such an object is held by its pool alone; a holder around it can be proved to be."""


class Slotted:
    """The least that an object can be."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number: int = 0


class Record:
    """Ten fields, three of them containers."""

    __slots__ = ("a", "b", "c", "d", "e", "f", "g", "names", "parts", "tags")

    def __init__(self) -> None:
        self.a: object = None
        self.b: object = None
        self.c: object = None
        self.d: object = None
        self.e: object = None
        self.f: object = None
        self.g: object = None
        self.names: dict[str, int] = {}
        self.parts: list[int] = []
        self.tags: set[str] = set()


def number_record(record: Record) -> None:
    """Fill a record."""
    record.names["one"] = 1
    record.parts.append(1)
    record.tags.add("one")


def clear_record(record: Record) -> None:
    """Set a record back."""
    record.names.clear()
    record.parts.clear()
    record.tags.clear()


def arguments() -> argparse.ArgumentParser:
    """Return a parser for forty options."""
    parser = argparse.ArgumentParser()
    for number in range(40):
        parser.add_argument(f"--option-{number}", type=int, default=number, help="one of many")
    return parser


def fill(size: int) -> Callable[[bytearray], None]:
    """Return what writes over so many bytes, a page at a time."""

    def use(buffer: bytearray) -> None:
        for start in range(0, size, len(PAGE)):
            buffer[start : start + len(PAGE)] = PAGE

    return use


def query(connection: sqlite3.Connection) -> Any:
    """Ask for one product."""
    return connection.execute(FIND + "?", (17,)).fetchone()


KINDS = {
    "slotted": Kind(Slotted, lambda each: setattr(each, "number", 1), Slotted.__init__),
    "record": Kind(Record, number_record, clear_record),
    "decimals": Kind(lambda: decimal.Context(prec=50), lambda each: each.divide(1, 3)),
    "random": Kind(random.Random, lambda each: each.random()),
    "zstd": Kind(lambda: zstandard.ZstdCompressor(level=3), lambda each: each.compress(b"".join(FEED_PIECES))),
    "sqlite": Kind(new_sqlite, query, refers_to_itself=True),
    "mebibyte": Kind(lambda: bytearray(1 << 20), fill(1 << 20)),
    "tls": Kind(lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), lambda each: each.verify_mode),
    "arguments": Kind(arguments, lambda each: each.parse_args(["--option-7", "1"])),
    "template": Kind(
        lambda: Environment(autoescape=True).from_string(TEMPLATE),
        lambda each: each.render(shown=1),
        refers_to_itself=True,
    ),
}


def seconds_saved(kind: Kind, seconds: float = 0.2) -> float:
    """Return what reuse can save at the most: making, using and dropping an object, less using one that is there."""

    def fresh() -> None:
        kind.use(kind.make())

    kept = kind.make()
    return _seconds(fresh, seconds) - _seconds(lambda: kind.use(kept), seconds)


def _seconds(call: Callable[[], object], seconds: float) -> float:
    return min(_batches(call, seconds))


def _batches(call: Callable[[], object], seconds: float) -> Iterator[float]:
    count = 1
    end = perf_counter() + seconds
    while True:
        started = perf_counter()
        for _ in range(count):
            call()
        now = perf_counter()
        yield (now - started) / count
        if now >= end:
            return
        if now - started < seconds / 20:
            count *= 2
