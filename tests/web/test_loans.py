"""What was borrowed asynchronously goes back first, on the loop that lent it, however the request ends."""

import asyncio
import gc
import threading

import anyio
import anyio.lowlevel
import pytest

from poolware import Context, ContextReleased, Lifecycle, ObjectPool, RequestContext
from poolware.context import loans as context_loans
from poolware.web.asgi import PoolwareMiddleware

START = {"type": "http.response.start", "status": 200, "headers": []}
BODY = {"type": "http.response.body", "body": b"spam"}
KEY, LOANS = "poolware.ctx", "poolware.loans"


class AppContext(RequestContext):
    tenant: str = ""


class Database:
    """An async pool that notes what happens to it, and where. `slow` makes giving back take a while."""

    def __init__(self, journal=None, *, slow=False, error=None):
        self.journal = [] if journal is None else journal
        self.slow, self.error = slow, error
        self.lent, self.returning, self.go_on = 0, anyio.Event(), anyio.Event()
        self.gate = None
        self.threads = set()

    async def acquire(self):
        if self.gate is not None:
            await self.gate.wait()
        self.lent += 1
        self.threads.add(threading.get_ident())
        return object()

    async def release(self, connection):
        self.threads.add(threading.get_ident())
        self.returning.set()
        if self.slow:
            await self.go_on.wait()
        await anyio.lowlevel.checkpoint()
        self.lent -= 1
        self.journal.append(self)
        if self.error is not None:
            raise self.error


def new_scope(**keys):
    return {"type": "http", "method": "GET", "path": "/orders", "headers": [], **keys}


async def ignore(_message):
    pass


@pytest.mark.anyio
async def test_async_loans_go_back_before_the_sync_ones_and_the_last_first():
    journal = []
    first, second = Database(journal), Database(journal)
    rows = ObjectPool(list, reset=lambda _rows: journal.append("rows"))

    async def app(scope, receive, send):
        ctx = AppContext.of(scope)
        await ctx.aborrow(first)
        ctx.borrow(rows)
        await ctx.aborrow(second)
        assert LOANS in scope

    scope = new_scope()
    await PoolwareMiddleware(app, context=AppContext)(scope, None, ignore)
    assert journal == [second, first, "rows"]
    assert KEY not in scope
    assert LOANS not in scope


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("raises", [False, True])
async def test_the_context_is_proved_unshared_afterwards(kind, raises):
    """Nothing of the asynchronous phase holds it."""
    database = Database()

    async def app(scope, receive, send):
        await AppContext.of(scope).aborrow(database)
        if raises:
            raise LookupError

    middleware = PoolwareMiddleware(app, context=AppContext)
    try:
        await middleware(new_scope(type=kind), None, ignore)
    except LookupError:
        assert raises
    gc.collect()
    stats = middleware.lifecycle.pool.get_stats()
    assert (database.lent, stats.idle, stats.quarantined) == (0, 1, 0)


@pytest.mark.anyio
async def test_an_error_of_one_pool_does_not_keep_the_others_from_theirs(caplog):
    """Invariant 5, H29."""
    databases = [Database(), Database(error=OSError("connection reset")), Database()]

    async def app(scope, receive, send):
        for database in databases:
            await AppContext.of(scope).aborrow(database)

    await PoolwareMiddleware(app, context=AppContext)(new_scope(), None, ignore)
    assert [database.lent for database in databases] == [0, 0, 0]
    assert "Database did not take back what a request had borrowed" in caplog.text
    assert "connection reset" in caplog.text


@pytest.mark.anyio
async def test_cancellation_while_giving_back():
    """H18: nothing is lost, the cancellation is not swallowed, and the context goes back after."""
    databases = [Database(slow=True), Database(slow=True)]
    scope, answered = new_scope(), []

    async def app(scope, receive, send):
        for database in databases:
            await AppContext.of(scope).aborrow(database)

    async def serve():
        await PoolwareMiddleware(app, context=AppContext)(scope, None, ignore)
        await anyio.lowlevel.checkpoint()  # where trio tells of a cancellation
        answered.append("not cancelled")

    async with anyio.create_task_group() as group:
        group.start_soon(serve)
        await databases[1].returning.wait()
        group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.01)
            assert KEY in scope
            for database in databases:
                database.go_on.set()
    assert answered == []
    assert [database.lent for database in databases] == [0, 0]
    assert KEY not in scope


@pytest.mark.anyio
async def test_cancellation_while_borrowing():
    """H18: at the wait for a connection; and nothing of it stays behind."""
    database = Database()
    database.gate = anyio.Event()
    scope = new_scope()

    async def app(scope, receive, send):
        await AppContext.of(scope).aborrow(database)

    middleware = PoolwareMiddleware(app, context=AppContext)
    async with anyio.create_task_group() as group:
        group.start_soon(middleware, scope, None, ignore)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert (database.lent, KEY in scope, LOANS in scope) == (0, False, False)


@pytest.mark.anyio
async def test_the_response_ends_while_a_task_waits_for_a_connection():
    """H06: what comes then goes back at once."""
    database, outcome = Database(), []
    database.gate = anyio.Event()

    async def borrow(ctx):
        try:
            await ctx.aborrow(database)
        except ContextReleased as error:
            outcome.append(str(error))

    async with anyio.create_task_group() as elsewhere:

        async def app(scope, receive, send):
            elsewhere.start_soon(borrow, AppContext.of(scope))
            await anyio.wait_all_tasks_blocked()

        middleware = PoolwareMiddleware(app, context=AppContext)
        await middleware(new_scope(), None, ignore)
        database.gate.set()
    assert outcome == ["the response ended before Database lent anything; what it lent then has gone back"]
    assert database.lent == 0


@pytest.mark.anyio
async def test_borrowed_while_the_rest_goes_back():
    """Invariant 4: by a task that outlives the application, in the midst of its end."""
    slow, late = Database(slow=True), Database()

    async def borrow(ctx):
        await slow.returning.wait()
        await ctx.aborrow(late)
        slow.go_on.set()

    async with anyio.create_task_group() as elsewhere:

        async def app(scope, receive, send):
            await AppContext.of(scope).aborrow(slow)
            elsewhere.start_soon(borrow, AppContext.of(scope))

        await PoolwareMiddleware(app, context=AppContext)(new_scope(), None, ignore)
        with anyio.fail_after(5):
            while late.lent or not late.journal:
                await anyio.lowlevel.checkpoint()
    assert (slow.lent, late.lent) == (0, 0)


@pytest.mark.anyio
async def test_nested_middlewares_have_one_owner():
    """H23."""
    database = Database()

    async def app(scope, receive, send):
        await AppContext.of(scope).aborrow(database)

    async def between(scope, receive, send):
        await PoolwareMiddleware(app, context=AppContext)(scope, receive, send)
        assert database.lent == 1

    await PoolwareMiddleware(between, context=AppContext)(new_scope(), None, ignore)
    assert database.lent == 0


@pytest.mark.anyio
async def test_streams_and_background_work_keep_what_was_borrowed():
    """H19: until the application returns."""
    database, seen = Database(), []

    async def app(scope, receive, send):
        await AppContext.of(scope).aborrow(database)
        await send(START)
        await send(BODY)
        seen.append(("background", database.lent))

    async def send(message):
        seen.append((message["type"], database.lent))

    await PoolwareMiddleware(app, context=AppContext)(new_scope(), None, send)
    assert [lent for _, lent in seen] == [1, 1, 1]
    assert database.lent == 0


@pytest.mark.anyio
async def test_finish_from_another_thread_sends_them_to_their_loop():
    """As Django does, which closes responses in a thread."""
    lifecycle, scope, database = Lifecycle(AppContext), new_scope(), Database()
    await lifecycle.begin(scope).aborrow(database)
    await anyio.to_thread.run_sync(lifecycle.finish, scope)
    with anyio.fail_after(5):
        while database.lent:
            await anyio.lowlevel.checkpoint()
    assert database.threads == {threading.get_ident()}
    assert lifecycle.pool.get_stats().idle == 1


def test_a_loop_that_has_ended_cannot_take_anything_back(caplog):
    """H27: said, and nothing else is held up."""
    lifecycle, scope, database = Lifecycle(AppContext), new_scope(), Database()

    async def borrow():
        await lifecycle.begin(scope).aborrow(database)

    asyncio.run(borrow())
    lifecycle.finish(scope)
    assert "Database did not take back what a request had borrowed" in caplog.text
    assert "Event loop is closed" in caplog.text
    assert lifecycle.pool.get_stats().idle == 1


def test_two_loops_of_one_request():
    """H27: each gets back what it lent."""
    lifecycle, scope = Lifecycle(AppContext), new_scope()
    here, there = Database(), Database()
    lifecycle.begin(scope)

    async def elsewhere():
        await AppContext.of(scope).aborrow(there)
        borrowed.set()
        while there.lent:  # noqa: ASYNC110 - ended from the other loop
            await asyncio.sleep(0.001)

    async def main():
        thread = threading.Thread(target=asyncio.run, args=(elsewhere(),))
        thread.start()
        await asyncio.to_thread(borrowed.wait, 5)

        async def app(inner, receive, send):
            await AppContext.of(inner).aborrow(here)

        await app(scope, None, None)
        await context_loans.give_back_async(scope)
        assert (here.lent, there.lent) == (0, 1)
        lifecycle.finish(scope)
        await asyncio.to_thread(thread.join, 5)

    borrowed = threading.Event()
    asyncio.run(main())
    assert there.lent == 0
    assert len(there.threads) == 1
    assert here.threads != there.threads


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_pool_that_never_takes_back_is_interrupted(monkeypatch, caplog):
    """Invariant 5: the request ends nevertheless, and so do the other loans."""
    monkeypatch.setattr(context_loans, "_LIMIT_S", 0.02)
    first, stuck = Database(), Database(slow=True)

    async def app(scope, receive, send):
        await AppContext.of(scope).aborrow(first)
        await AppContext.of(scope).aborrow(stuck)

    await PoolwareMiddleware(app, context=AppContext)(new_scope(), None, ignore)
    assert (first.lent, stuck.lent) == (0, 1)
    assert "TimeoutError" in caplog.text
    stuck.go_on.set()


def test_a_loop_that_is_shut_down_while_giving_back():
    """H18: asyncio.run cancels every task; each loan still gets its turn."""
    first, second = Database(), Database(slow=True)

    async def app(scope, receive, send):
        await AppContext.of(scope).aborrow(first)
        await AppContext.of(scope).aborrow(second)

    async def main():
        middleware = PoolwareMiddleware(app, context=AppContext)
        serving = asyncio.create_task(middleware(new_scope(), None, ignore))
        await second.returning.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    asyncio.run(main())
    assert first.lent == 0


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_release_that_raises_a_cancellation_of_its_own_keeps_no_other_from_its_turn():
    """H18, H35."""
    first, second = Database(), Database(error=asyncio.CancelledError())
    scope = new_scope()

    async def app(scope, receive, send):
        await AppContext.of(scope).aborrow(first)
        await AppContext.of(scope).aborrow(second)

    with pytest.raises(asyncio.CancelledError):
        await PoolwareMiddleware(app, context=AppContext)(scope, None, ignore)
    assert (first.lent, second.lent) == (0, 0)
    assert KEY not in scope


@pytest.mark.anyio
async def test_ended_by_hand_before_the_application_returns():
    """H12: the middleware finds nothing left to end."""
    database = Database()

    async def app(scope, receive, send):
        await AppContext.of(scope).aborrow(database)
        middleware.lifecycle.finish(scope)

    middleware = PoolwareMiddleware(app, context=AppContext)
    await middleware(new_scope(), None, ignore)
    with anyio.fail_after(5):
        while database.lent:
            await anyio.lowlevel.checkpoint()


@pytest.mark.anyio
@pytest.mark.parametrize("path", [3, None, [1]])
async def test_a_spoilt_scope(path):
    database = Database()

    async def app(scope, receive, send):
        await AppContext.of(scope).aborrow(database)
        scope["path"] = path

    await PoolwareMiddleware(app, context=AppContext)(new_scope(), None, ignore)
    assert database.lent == 0


def test_a_context_outside_of_requests_sends_its_loans_to_their_loop():
    """As a job's, which its pool takes back."""

    class Job(Context):
        name: str = ""

    async def main():
        pool, database = ObjectPool(Job), Database()
        await pool.acquire().aborrow(database)
        assert pool.get_stats().lost == 1
        while database.lent:  # noqa: ASYNC110 - given back by a task that nobody waits for
            await asyncio.sleep(0)

    asyncio.run(main())
