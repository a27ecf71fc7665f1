"""What the break-even chart measures: objects from a tenth of a microsecond to milliseconds, and how they are used."""

import io
import json
import os
import sqlite3
import ssl
from importlib import import_module
from random import Random
from typing import Any

import zstandard

from benchmarks.subjects import Slotted, Ten

__all__ = ["Slotted", "Ten"]

DOCUMENT = json.dumps([{"id": n, "title": f"Item number {n}", "score": n * 37 % 101} for n in range(40)]).encode()


class Number:
    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


def clear_slotted(obj: Slotted) -> None:
    obj.__init__()  # type: ignore[misc]


def kib_64() -> bytearray:
    return bytearray(64 << 10)


def mib_4() -> bytearray:
    return bytearray(4 << 20)


def text_file() -> io.BytesIO:
    return io.BytesIO()


def write(file: io.BytesIO) -> None:
    file.write(DOCUMENT)


def rewind(file: io.BytesIO) -> None:
    file.seek(0)
    file.truncate()


def random() -> Random:
    return Random(1)


def seed(chance: Random) -> None:
    chance.seed(1)


def compressor() -> Any:
    return zstandard.ZstdCompressor(level=3)


def compress(obj: Any) -> None:
    obj.compress(DOCUMENT)


def sqlite() -> sqlite3.Connection:
    return sqlite3.connect(":memory:")


def tls_context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def postgresql() -> Any:
    psycopg = import_module("psycopg")  # not among what the tests need
    return psycopg.connect(os.environ["BREAKEVEN_POSTGRESQL"], autocommit=True)
