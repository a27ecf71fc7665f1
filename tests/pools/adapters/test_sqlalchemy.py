"""SQLAlchemy on a real PostgreSQL and on SQLite: engines, session makers, bare pools, sync and async."""

import asyncio

import pytest

from poolware import BadOption, PoolTimeout

sqlalchemy = pytest.importorskip("sqlalchemy")
aio = pytest.importorskip("sqlalchemy.ext.asyncio")
orm = pytest.importorskip("sqlalchemy.orm")
text = sqlalchemy.text

ONE = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.1}


@pytest.fixture(params=["postgresql", "sqlite"])
def engine(request, tmp_path):
    if request.param == "sqlite":
        engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/orders.db", poolclass=sqlalchemy.QueuePool, **ONE)
    else:
        uri = request.getfixturevalue("postgres").replace("postgresql://", "postgresql+psycopg://")
        engine = sqlalchemy.create_engine(uri, **ONE)
    yield engine
    with engine.begin() as connection:
        connection.execute(text("drop table if exists forgotten"))
    engine.dispose()


@pytest.fixture(params=["psycopg", "asyncpg", "aiosqlite"])
async def async_engine(request, tmp_path):
    if request.param == "aiosqlite":
        pool = sqlalchemy.pool.AsyncAdaptedQueuePool
        engine = aio.create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/orders.db", poolclass=pool, **ONE)
    else:
        uri = request.getfixturevalue("postgres").replace("postgresql://", f"postgresql+{request.param}://")
        engine = aio.create_async_engine(uri, **ONE)
    yield engine
    async with engine.begin() as connection:
        await connection.execute(text("drop table if exists forgotten"))
    await engine.dispose()


def lent(engine):
    return engine.pool.checkedout()


def kinds(engine):
    return {"engine": engine, "session maker": orm.sessionmaker(engine)}


@pytest.mark.parametrize("kind", ["engine", "session maker"])
def test_what_was_committed_stays_and_what_was_not_is_rolled_back(engine, kind, request_of, lifecycle, told):
    """Giving back never commits."""
    pool = kinds(engine)[kind]

    def view(ctx):
        lent = ctx.borrow(pool)
        lent.execute(text("create table forgotten (a integer)"))
        lent.commit()
        lent.execute(text("insert into forgotten values (1)"))

    with request_of() as ctx:
        view(ctx)
        assert lent(engine) == 1
        del ctx
    assert lent(engine) == 0
    assert (lifecycle.rolled_back, lifecycle.discarded) == (1, 0)
    assert [level for level, _ in told()] == ["WARNING"]
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from forgotten")).scalar() == 0


@pytest.mark.parametrize("kind", ["engine", "session maker"])
def test_after_a_commit_nothing_is_reported(engine, kind, request_of, lifecycle, told):
    pool = kinds(engine)[kind]

    def view(ctx):
        ctx.connection = ctx.borrow(pool)
        ctx.connection.execute(text("select 1")).all()
        ctx.connection.commit()

    with request_of() as ctx:
        view(ctx)
        del ctx
    assert told() == []
    assert lent(engine) == 0


def test_autocommit_is_no_open_transaction(engine, request_of, told):
    """SQLAlchemy's books know one for every statement; the driver knows of none."""
    pool = engine.execution_options(isolation_level="AUTOCOMMIT")

    def view(ctx):
        ctx.borrow(pool).execute(text("select 1")).all()

    with request_of() as ctx:
        view(ctx)
        del ctx
    assert told() == []


def test_a_connection_that_somebody_holds_is_invalidated(engine, request_of, lifecycle):
    """H06: the next request gets another one; the holder gets an error."""

    def driver_connection():
        with engine.connect() as connection:
            return id(connection.connection.driver_connection)

    before = driver_connection()
    with request_of() as ctx:
        kept = ctx.borrow(engine)
        driver = kept.connection.driver_connection
        assert id(driver) == before
        del ctx
    assert lifecycle.discarded == 1
    with pytest.raises(sqlalchemy.exc.ResourceClosedError):
        kept.execute(text("select 1"))
    assert driver_connection() != before
    del driver


def test_a_session_that_somebody_holds_is_reported(engine, request_of, lifecycle, told):
    with request_of() as ctx:
        kept = ctx.borrow(orm.sessionmaker(engine))
        kept.execute(text("select 1"))
        del ctx
    assert lifecycle.discarded == 1
    assert lent(engine) == 0
    assert "the Session that it had borrowed from sessionmaker is not used again" in told()[-1][1]


def test_a_bare_pool(engine, request_of, lifecycle):
    """It lends the driver's own connections and rolls back whatever comes back."""

    def view(ctx):
        ctx.borrow(engine.pool).cursor().execute("create table forgotten (a integer)")

    with request_of() as ctx:
        view(ctx)
        del ctx
    assert lent(engine) == 0
    assert not sqlalchemy.inspect(engine).has_table("forgotten") or engine.dialect.name == "sqlite"
    assert lifecycle.discarded == 0


@pytest.mark.parametrize("kind", ["engine", "session maker", "pool"])
def test_after_a_failure(engine, kind, fail, lifecycle):
    """Asked for a sign of life, rolled back, or, where there is no way to ask, replaced."""
    pool = kinds(engine).get(kind, engine.pool)
    fail(pool)
    assert lent(engine) == 0
    assert lifecycle.discarded == (kind == "pool")


def test_a_connection_that_died_is_replaced(postgres, request_of, lifecycle):
    """H29: the rollback fails, and nobody after gets the dead one."""
    engine = sqlalchemy.create_engine(postgres.replace("postgresql://", "postgresql+psycopg://"), **ONE)
    other = sqlalchemy.create_engine(engine.url, poolclass=sqlalchemy.NullPool)

    def view(ctx):
        number = ctx.borrow(engine).execute(text("select pg_backend_pid()")).scalar()
        with other.connect() as killer:
            killer.execute(text("select pg_terminate_backend(:number)"), {"number": number})

    with request_of() as ctx:
        view(ctx)
        del ctx
    assert lifecycle.discarded == 1
    with engine.connect() as connection:
        assert connection.execute(text("select 1")).scalar() == 1
    engine.dispose()


def test_closed_by_hand(engine, request_of, told):
    """H12: the handle leads nowhere any more, whoever has the connection now."""
    with request_of() as first, request_of() as second:
        first.borrow(engine).close()
        connection = second.borrow(engine)
        del first, second, connection
    assert lent(engine) == 0


def test_nothing_to_lend(engine, request_of):
    with request_of() as ctx, engine.connect():
        with pytest.raises(PoolTimeout) as raised:
            ctx.borrow(engine)
        assert isinstance(raised.value.__cause__, sqlalchemy.exc.TimeoutError)
        with pytest.raises(PoolTimeout):
            ctx.borrow(engine.pool)
        del ctx, raised


def async_kinds(engine):
    return {"engine": engine, "session maker": aio.async_sessionmaker(engine)}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["engine", "session maker"])
async def test_async_what_was_not_committed_is_rolled_back(async_engine, kind, serve, lifecycle, told):
    pool = async_kinds(async_engine)[kind]

    async def view(ctx):
        lent = await ctx.aborrow(pool)
        await lent.execute(text("create table forgotten (a integer)"))
        await lent.commit()
        await lent.execute(text("insert into forgotten values (1)"))

    await serve(view)
    assert lent(async_engine) == 0
    assert (lifecycle.rolled_back, lifecycle.discarded) == (1, 0)
    assert "GET /orders ended inside a transaction" in told()[0][1]
    async with async_engine.connect() as connection:
        assert (await connection.execute(text("select count(*) from forgotten"))).scalar() == 0


@pytest.mark.anyio
async def test_async_a_held_connection_is_invalidated(async_engine, serve, lifecycle):
    kept = []

    async def view(ctx):
        kept.append(await ctx.aborrow(async_engine))

    await serve(view)
    assert lifecycle.discarded == 1
    assert lent(async_engine) == 0
    with pytest.raises(sqlalchemy.exc.ResourceClosedError):
        await kept[0].execute(text("select 1"))


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["engine", "session maker"])
async def test_async_cancelled(async_engine, kind, serve):
    """H18: what was lent is free again, with a connection that works."""
    pool = async_kinds(async_engine)[kind]
    arrived = asyncio.Event()

    async def view(ctx):
        await (await ctx.aborrow(pool)).execute(text("select 1"))
        arrived.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(serve(view))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert lent(async_engine) == 0
    async with async_engine.connect() as connection:
        assert (await connection.execute(text("select 1"))).scalar() == 1


@pytest.mark.anyio
async def test_async_failure_and_nothing_to_lend(async_engine, serve, lifecycle):
    async def view(ctx):
        await ctx.aborrow(async_engine)
        with pytest.raises(PoolTimeout):
            await ctx.aborrow(async_engine)
        raise LookupError

    with pytest.raises(LookupError):
        await serve(view)
    assert lent(async_engine) == 0
    assert lifecycle.discarded == 0


@pytest.mark.anyio
async def test_the_wrong_kind_is_refused(async_engine, engine, serve):
    """H40."""

    async def view(ctx):
        for pool in async_kinds(async_engine).values():
            with pytest.raises(BadOption, match="aborrow"):
                ctx.borrow(pool)
        for pool in kinds(engine).values():
            with pytest.raises(BadOption, match=r"ctx\.borrow"):
                await ctx.aborrow(pool)

    await serve(view)
