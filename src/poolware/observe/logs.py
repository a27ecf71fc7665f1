"""Log records that say which request they belong to, and how the pools were."""

from __future__ import annotations

import logging

from poolware.context.ambient import RequestVariable
from poolware.context.base import RequestContext
from poolware.observe import watch
from poolware.observe.snapshot import PoolSnapshot

__all__ = ["PoolwareFilter", "tag"]

_request_id: RequestVariable[str] = RequestVariable()


class PoolwareFilter(logging.Filter):
    """Gives every record ``request_id`` and ``pools``, for the format; lets all of them through.

    ``request_id`` is that of the request for which `tag` was called, and empty outside of one. ``pools`` names those in
    which somebody waits, or nothing is free, as they were when the watch looked last; empty if there is none.

        handler.addFilter(PoolwareFilter())
        handler.setFormatter(logging.Formatter("%(levelname)s %(request_id)s %(message)s %(pools)s"))
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add to `record`; always true."""
        record.request_id = _request_id.get() or ""
        running = watch.current()
        record.pools = ", ".join(filter(None, map(_strain, running.latest))) if running else ""
        return True


def tag(ctx: RequestContext) -> None:
    """Have what is logged in this thread or task, from here to the end of the response, say which request it is for.

    Threads and tasks that carry on the caller's context variables say so too, until the response ends and no longer
    (H10): what outlives a request does not speak for it.
    """
    _request_id.set(ctx, ctx.request_id)


def _strain(snapshot: PoolSnapshot) -> str:
    """Describe a pool that keeps its callers waiting, or is about to; empty for any other."""
    waiting, used = snapshot.gauges.get("waiting", 0), snapshot.utilisation
    if not waiting and (used is None or used < 1):
        return ""
    return (
        f"{snapshot.pool}: {snapshot.gauges['in_use']:g} of {snapshot.limits['max_size']:g} in use, {waiting:g} waiting"
    )
