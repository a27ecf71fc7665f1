"""Responses of which one thread makes the pieces in turns, as servers with a loop around WSGI do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from poolware.context.ambient import Turns

__all__ = ["in_turns"]


def in_turns(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Return the WSGI application `app` such that `current` finds a request in its own code and in no other's (H10)."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        turns = Turns()
        result = turns.take(app, environ, start_response)
        wrapper = environ.get("wsgi.file_wrapper")
        if hasattr(result, "__len__") or (isinstance(wrapper, type) and isinstance(result, wrapper)):
            return result  # runs no code of the application, and servers ask what it is
        return _Body(result, turns)

    return serve


class _Body:
    """An iterable whose code runs in its request's turns."""

    __slots__ = ("_inner", "_turns")

    def __init__(self, inner: Iterable[bytes], turns: Turns) -> None:
        self._inner = inner
        self._turns = turns

    def __iter__(self) -> Iterator[bytes]:
        return _Pieces(self._turns.take(iter, self._inner), self._turns)

    def close(self) -> None:
        close = getattr(self._inner, "close", None)
        if close is not None:
            self._turns.take(close)


class _Pieces:
    """Its iterator."""

    __slots__ = ("_pieces", "_turns")

    def __init__(self, pieces: Iterator[bytes], turns: Turns) -> None:
        self._pieces = pieces
        self._turns = turns

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece: bytes = self._turns.take(next, self._pieces)
        return piece
