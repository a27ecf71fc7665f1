"""The live page for any framework: a method and a path in, an answer out."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, replace
from http import HTTPStatus

from poolware._core.options import positive
from poolware.web.dashboard.overview import overview
from poolware.web.dashboard.page import PAGE, POLICY

__all__ = ["Answer", "Dashboard", "refused"]

_FRESH = 0.5
"""Seconds for which all who ask are told the same: however many look, the work is done twice a second at the most."""
_REFUSED = (
    "The live page of poolware answers only to requests from this machine itself, unless the application\n"
    "allows others: see allow= in docs/live-page.md.\n"
)
_COMMON = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, for whatever sends it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Dashboard:
    """Answers for the live page, whoever asks: for a view that lets in only whom it should.

        live = Dashboard()

        @app.get("/poolware/")
        @app.get("/poolware/<path:path>")
        @login_required
        def poolware(path=""):
            answer = live.answer(request.method, path)
            return Response(answer.body, answer.status, answer.headers)

    Args:
        directory: where the workers publish; as for `poolware.observe.Share`.
        held_for: seconds in use after which something counts as not coming back; more than the longest normal use.

    Raises:
        BadOption: `held_for` is no number above 0.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None, *, held_for: float = 60.0) -> None:
        self._directory = directory
        self._held_for = positive("held_for", held_for)
        self._lock = threading.Lock()
        self._made_at = float("-inf")
        self._data = b""

    def answer(self, method: str, path: str) -> Answer:
        """Answer a request for `path`: empty for the page, ``data.json`` for what it shows. It may read files."""
        name = path.strip("/")
        if name not in {"", "data.json"}:
            return _text(HTTPStatus.NOT_FOUND, "There is nothing here.\n")
        if method not in {"GET", "HEAD"}:
            return _text(HTTPStatus.METHOD_NOT_ALLOWED, "This page can only be read.\n", ("Allow", "GET, HEAD"))
        kind, body = ("application/json", self._json()) if name else ("text/html; charset=utf-8", PAGE)
        answer = _answer(HTTPStatus.OK, kind, body)
        return replace(answer, body=b"") if method == "HEAD" else answer

    def _json(self) -> bytes:
        with self._lock:
            if time.monotonic() - self._made_at > _FRESH:
                self._data = overview(self._directory, self._held_for)
                self._made_at = time.monotonic()
            return self._data


def refused() -> Answer:
    """Return what is told to somebody who may not look."""
    return _text(HTTPStatus.FORBIDDEN, _REFUSED)


def _text(status: HTTPStatus, text: str, *headers: tuple[str, str]) -> Answer:
    return _answer(status, "text/plain; charset=utf-8", text.encode(), *headers)


def _answer(status: HTTPStatus, kind: str, body: bytes, *headers: tuple[str, str]) -> Answer:
    described = (("Content-Type", kind), ("Content-Length", str(len(body))))
    return Answer(status.value, (*described, *headers, *_COMMON), body)
