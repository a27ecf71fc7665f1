"""The two databases: where they are, what is in them, how a connection is made."""

import os
import sqlite3
import tempfile
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from poolware_compare.apps.answers import PRODUCTS, product

POSTGRES = "POOLWARE_COMPARE_POSTGRES"
"""The environment variable that says where PostgreSQL is."""
POSTGRES_SIZE = 8
"""Connections of each pool: with 16 users, half of them have to wait for one."""

FIND = "select title, stock, price from product where id = "
PAGE = "select title, stock, price from product where id between ? and ? order by id"


@cache
def sqlite_file() -> str:
    """Return the path of the shop's SQLite file, which is written once."""
    content = [(number, *product(number)) for number in range(1, PRODUCTS + 1)]
    version = zlib.crc32(repr(content).encode())
    path = Path(tempfile.gettempdir(), f"poolware-compare-{os.getuid()}-{version:08x}.sqlite")
    if not path.exists():
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        os.close(descriptor)
        with sqlite3.connect(name) as connection:
            connection.execute("create table product (id integer primary key, title text, stock int, price int)")
            connection.executemany("insert into product values (?, ?, ?, ?)", content)
        connection.close()
        Path(name).replace(path)  # whole or not at all, however many servers start at once
    return str(path)


def new_sqlite() -> sqlite3.Connection:
    """Open the shop's SQLite file."""
    return sqlite3.connect(sqlite_file(), check_same_thread=False)


def new_postgres() -> Any:
    """Connect to PostgreSQL, for threads."""
    import psycopg  # noqa: PLC0415 - this scenario alone needs it

    return psycopg.connect(os.environ[POSTGRES], autocommit=True)


async def new_async_postgres() -> Any:
    """Connect to PostgreSQL, for tasks."""
    import psycopg  # noqa: PLC0415

    return await psycopg.AsyncConnection.connect(os.environ[POSTGRES], autocommit=True)
