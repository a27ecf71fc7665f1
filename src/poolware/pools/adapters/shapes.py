"""The pools that `ctx.borrow` and `ctx.aborrow` take, as far as types can tell what they lend."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol, TypeVar

__all__ = ["Acquiring", "AsyncEngine", "ConnectionPool", "Engine", "Queue", "RedisPool", "SessionMaker"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Acquiring(Protocol[T_co]):
    """An object whose ``acquire`` is awaited: asyncpg's pool, and others."""

    def acquire(self) -> Awaitable[T_co]:
        """Lend."""
        ...

    @property
    def release(self) -> Any:
        """Take back."""
        ...


class ConnectionPool(Protocol[T_co]):
    """psycopg_pool's or psycopg2's pools, and others."""

    def getconn(self) -> T_co:
        """Lend."""
        ...

    @property
    def putconn(self) -> Any:
        """Take back."""
        ...


class Engine(Protocol[T_co]):
    """SQLAlchemy's Engine and its pools."""

    def connect(self) -> T_co:
        """Lend."""
        ...

    def dispose(self) -> None:
        """Close all."""
        ...


class AsyncEngine(Protocol[T_co]):
    """SQLAlchemy's AsyncEngine."""

    def connect(self) -> Awaitable[T_co]:
        """Lend."""
        ...

    def dispose(self) -> Awaitable[None]:
        """Close all."""
        ...


class SessionMaker(Protocol[T_co]):
    """SQLAlchemy's sessionmaker and async_sessionmaker."""

    def __call__(self) -> T_co:
        """Lend."""
        ...

    @property
    def configure(self) -> Any:
        """Change the sessions that are made from now on."""
        ...


class Queue(Protocol[T]):
    """A queue.Queue that the application has filled."""

    def get(self) -> T:
        """Lend."""
        ...

    def put_nowait(self, item: T, /) -> None:
        """Take back."""
        ...


class RedisPool(Protocol):
    """redis-py's pools; what is lent is a client."""

    @property
    def get_connection(self) -> Any:
        """Lend."""
        ...

    @property
    def connection_kwargs(self) -> Any:
        """Say how a connection is made."""
        ...
