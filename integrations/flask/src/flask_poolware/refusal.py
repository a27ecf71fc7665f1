"""A refused request on the application's own error pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app, request
from werkzeug.exceptions import ServiceUnavailable, default_exceptions

from poolware import PoolUnavailable
from poolware.context.carrier import FAILED
from poolware.web.refusal import explain

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from werkzeug.exceptions import HTTPException

    from poolware import RequestRefused

__all__ = ["answer", "note_failure"]


def answer(error: RequestRefused) -> ResponseReturnValue | HTTPException:
    """Answer as if the application had raised the HTTPException with the status of `error`."""
    text = explain(request.environ, error)
    if isinstance(error, PoolUnavailable):
        refusal: HTTPException = ServiceUnavailable(text, retry_after=error.retry_after)
    else:
        refusal = default_exceptions[error.status](text)
    refusal.__cause__ = error
    return current_app.handle_user_exception(refusal)


def note_failure(error: BaseException | None) -> None:
    """Note that the request failed: what it had borrowed is looked at before it is used again."""
    if error is not None:
        request.environ[FAILED] = True
