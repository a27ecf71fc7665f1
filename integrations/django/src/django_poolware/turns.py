"""Streams of which one thread makes the pieces in turns, as servers with a loop around WSGI do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from poolware.context.ambient import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

__all__ = ["in_turns"]


def in_turns(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Return `get_response` such that `poolware.current` finds a request in its own code and in no other's."""

    def serve(request: HttpRequest) -> HttpResponseBase:
        turns = Turns()
        response: Any = turns.take(get_response, request)
        is_file = getattr(response, "file_to_stream", None) is not None  # servers send it in their own way
        if response.streaming and not response.is_async and not is_file:
            response.streaming_content = _pieces(response.streaming_content, turns)
            response._resource_closers = [partial(turns.take, closer) for closer in response._resource_closers]
        return response  # type: ignore[no-any-return]

    return serve


def _pieces(pieces: Iterator[bytes], turns: Turns) -> Iterator[bytes]:
    """Return an iterator without a close, which is among the response's closers."""
    return iter(partial(turns.take, next, pieces), object())
