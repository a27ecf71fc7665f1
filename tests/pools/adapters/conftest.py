"""A request that borrows, and its end: as a WSGI server's thread brings it about, and as an ASGI application does."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from poolware import Lifecycle, RequestContext
from poolware.web.asgi import PoolwareMiddleware


class BorrowingContext(RequestContext):
    connection: Any = None


@pytest.fixture
def anyio_backend() -> str:
    """Database drivers know asyncio alone."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _everything_comes_back(everything_comes_back: list[Lifecycle[Any]]) -> None:
    """Hold every test of this folder to it."""


@pytest.fixture
def lifecycle() -> Lifecycle[BorrowingContext]:
    return Lifecycle(BorrowingContext)


Request = Callable[[], AbstractContextManager[BorrowingContext]]
Serve = Callable[[Callable[[BorrowingContext], Awaitable[None]]], Awaitable[None]]


@pytest.fixture
def request_of(lifecycle: Lifecycle[BorrowingContext]) -> Request:
    """A sync request, as a block; an exception that leaves the block is one that leaves the application."""

    @contextmanager
    def block() -> Any:
        carrier: dict[str, Any] = {"REQUEST_METHOD": "GET", "PATH_INFO": "/orders"}
        try:
            yield lifecycle.begin(carrier)
        finally:
            lifecycle.finish(carrier)

    return block


@pytest.fixture
def fail(request_of: Request) -> Callable[[Any], None]:
    """A sync request that borrows from a pool and fails."""

    def fail(pool: Any) -> None:
        with pytest.raises(LookupError):
            borrow_and_raise(pool)

    def borrow_and_raise(pool: Any) -> None:
        with request_of() as ctx:
            ctx.borrow(pool)
            del ctx
            raise LookupError

    return fail


@pytest.fixture
def serve(lifecycle: Lifecycle[BorrowingContext]) -> Serve:
    """Serve one ASGI request with a view that takes the context."""

    async def serve(view: Callable[[BorrowingContext], Awaitable[None]]) -> None:
        async def app(scope: Any, _receive: Any, _send: Any) -> None:
            await view(BorrowingContext.of(scope))

        scope = {"type": "http", "method": "GET", "path": "/orders", "headers": []}
        await PoolwareMiddleware(app, lifecycle)(scope, None, None)

    return serve


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], list[tuple[str, str]]]:
    """What poolware has logged so far, with its levels."""
    caplog.set_level(logging.INFO, "poolware")
    return lambda: [(r.levelname, r.getMessage()) for r in caplog.records if r.name == "poolware"]
